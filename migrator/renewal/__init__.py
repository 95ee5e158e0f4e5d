"""What altered tables mean for an applied mapping: the renewed mapping, and what happens to its documents.

columns: one column before and after its definition changed.
renew: a mapping as it was applied against tables that were altered since.
rows: whether a statement left the rows of a table as they were, as far as a collection's documents show them.
"""
