"""Mapping files: `load.load_mappings` reads them, `resolve.resolve` resolves them against the live schema.

aggregates: `count`, `sum`, `min`, `max`, `avg` and `exists` under `fields:`.
builtins: MySQL's and MariaDB's own functions, by whether their value depends on their arguments alone.
catalog: names in a mapping to tables and columns of the source, with suggestions for those that don't exist.
embed: a table in the mapping to a `Node` of the resolved tree, and all that is embedded in it.
expressions: whether a piece of SQL depends on one row of one table only (premise D).
field_paths: every path that a collection's documents have.
fields: which columns become which fields, in what order, as which BSON type.
file: a mapping file.
index_rules: MongoDB's rules for one index, as far as the mapping alone shows that it can't be built.
indexes: `indexes:` against the documents' paths.
joins: how two tables are joined.
keys: what identifies a document.
linked_columns: a column by its name, of an embedded table or of the link table that leads to it.
location: a place in a mapping file, and the list of mistakes found so far.
ordering: `order_by:` to an order in which no two rows tie (premise D).
path_collisions: who writes which path of a (sub-)document.
references: `references:` against this collection's fields and those of the other.
resolve: mappings against the live schema.
row_conditions: which rows of a table count.
suggest: what to do about a name that is not known.
validator: the $jsonSchema of a collection.
"""
