"""Rows to documents: the codec (`values`), the folding (`assemble`). Knows no connections and no targets.

assemble: documents(mapping, keys).
encode: compiles a node of the tree into a function from one row (and its children's finished elements) to BSON.
fold: puts the finished rows of a child node together into the elements that its parents' documents take in.
identity: from a root key to its document's `_id`, and back.
reader: what the assembler needs of a source.
refusal_streak: when to stop because the target refuses nearly everything for one reason.
values: the codec.
"""
