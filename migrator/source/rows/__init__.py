"""Reading rows.

chunks: key ranges of about so many root rows, planned by looking at the index, never by paging through the data.
shared_snapshot: one moment of the whole server for several readers.
snapshot: rows of one consistent snapshot, as the server prints them.
sums: sums over the tables of a mapping's node, by the server's own aggregates.
"""
