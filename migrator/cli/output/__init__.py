"""What people read: text for a terminal or a file, and one JSON object per line."""
