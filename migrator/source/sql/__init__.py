"""The text of SQL statements. Pure."""
