"""The source's tables.

tables: columns, keys and indexes, as read from information_schema.
collation: by whose collation two columns are compared.
"""
