"""Generates the typed data-access package of a set of mappings: pure up to `write`, which alone touches the disk."""
