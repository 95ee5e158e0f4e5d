"""Rows that a cascade changes without an event in the log (premise B)."""
