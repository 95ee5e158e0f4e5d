"""Frozen dataclasses that the other packages hand to each other. No I/O here.

bson_elements: the elements of a BSON document as they stand in its bytes (bsonspec.org/spec.html).
change: the change log.
collection_names: names of collections without mapped documents.
mapping: a mapping.
plan: a plan, and what carries it out.
report: what commands tell and record of their work.
schema: the source's tables.
serialize: model objects to JSON and back.
slices: long sequences, a part at a time.
text: text for people.
"""
