"""Rows to documents: the codec (`values`), the folding (`assemble`). Knows no connections and no targets."""
