"""What altered tables mean for an applied mapping: the renewed mapping, and what happens to its documents."""
