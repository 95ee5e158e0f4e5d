"""The text of SQL statements. Pure.

alphabet: where in a column's index texts stand that another collation takes for equal.
alphabets: what comparisons need to know of collations, asked of the server when it is first needed.
charsets: character sets of the server that can be had exactly here, without asking it.
comparison: a column, compared with values of the column that it is joined with.
conditions: conditions on keys, spelled so that both servers read ranges of the key's index.
key_statements: questions about a root table's key index, each answered from few of its entries.
literal: values of keys as SQL literals.
root_key_statements: the SELECT statements that find the documents which rows are part of.
spelling: how the pieces of a statement are spelled in MySQL's SQL.
statements: the SELECT statements that read the rows of a mapping's node.
"""
