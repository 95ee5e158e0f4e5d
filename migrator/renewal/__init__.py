"""What altered tables mean for an applied mapping: the mapping renewed, and what becomes of its documents."""
