"""Leases and fences (premise C)."""
