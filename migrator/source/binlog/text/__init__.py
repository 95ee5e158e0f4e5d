"""Statements that are logged as text: which tables they may reach."""
