"""What the source holds for a collection: the parts of `migrator.source.measuring.measure.measure`.

context: what all measuring of one collection shares.
document_sizes: whole documents.
failing_expressions: which SQL of a mapping the server can't compute for some row.
hot_documents: documents of large tables.
index_findings: indexes of the mapping that refuse documents.
join_findings: rows without a partner in a join, and rows that are joined although the bytes of their keys differ.
json_findings: what JSON values hold that has no exact place in a document.
measure: what the source holds for a collection.
node_rows: how many rows a node's table holds, how big they are, and which of their values don't fit.
queries: one read-only connection, on which every question has a purpose and, unless all is to be counted, a time limit.
row_queries: SQL text for the rows of a mapping's tables.
row_sizes: how many bytes of BSON a row becomes, as SQL.
sampling: which rows of a large table are sampled.
table_facts: what the server knows about the tables without reading them, and which of them are small enough to be read.
table_findings: what the tables' properties alone say.
unique_findings: unique indexes of the mapping that the data would break, found before the load.
value_checks: values of a row that have no exact place in a document.
"""
