"""From row changes to the documents they concern: which columns to watch, where they lead, what cascades hide. Pure.

cascades: foreign keys that change rows without a trace in the change log.
definition_changes: what a statement on definitions can have done to rows, by its text.
document_refs: from changed rows to references.
folding: text keys in a form that is equal where MySQL's collations find them equal, as far as keys need it.
followable: whether the change log says what happens to a collection's documents.
table_uses: where a table's rows are in a mapping's tree, and which of their columns lead to documents.
watches: which columns of which tables every row event must contain.
"""
