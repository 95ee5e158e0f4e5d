"""What tables and expressions are."""
