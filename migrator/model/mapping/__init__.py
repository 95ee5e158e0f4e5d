"""A mapping: as it was written, and as the check has settled it.

spec: a mapping file as it was written.
shorthand: the short forms of a mapping file.
tree: the settled mapping, a tree of tables with their joins and fields.
policies: what happens to values that have no exact place in a document.
representation: which BSON type a column becomes.
row_layout: the order of values in a row that the source hands to the assembler.
hashes: short names for mappings.
"""
