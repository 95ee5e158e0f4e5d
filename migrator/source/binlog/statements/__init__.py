"""Statements that are logged as text: which tables they may reach.

affected_tables: whether a statement that names some tables can have changed rows of watched ones.
identifiers: which tables the text of a statement may name, each with its database.
lookahead: whether definitions that are gone now existed when a statement was logged.
server_catalog: what the server says of tables, views, triggers and routines in any database, asked for by name.
statement_kinds: what a logged statement is, by its text.
text_statements: statements that were logged as text.
"""
