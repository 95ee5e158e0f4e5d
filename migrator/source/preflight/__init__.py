"""What the server must allow."""
