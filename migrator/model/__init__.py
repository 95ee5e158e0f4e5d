"""Frozen dataclasses that the other packages hand to each other. No I/O here."""
