"""What tables and expressions are.

current_definitions: tables as they are now, after what a statement did to them that was read from the log.
describe: what the server says an SQL expression over one row of a table is, asked without reading a row.
read: information_schema into migrator.model.schema.tables.
show_create: what SHOW CREATE TABLE tells.
"""
