"""A second, plain and slow implementation of docs/documents.md, to compare migrator with.

It shares no code with migrator: it reads the mapping's YAML, asks information_schema, and builds each document with
one SELECT per parent row and relation. Where the two disagree, docs/documents.md decides.
"""
