"""Writing documents.

bulk: what bulk writes have in common.
chunk_writer: writes chunks.
document_id: the `_id` of a document whose other fields stay undecoded.
dollar_names: names of nested fields that start with `$`.
entries: many small documents at a time.
live: changes single documents of a collection.
rivals: finds the document that keeps another one out by a unique value.
"""
