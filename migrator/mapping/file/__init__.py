"""A mapping file: read and checked, as far as that needs no schema.

load: mapping files to what is written in them.
yaml_document: YAML text to plain values, with the place of every one of them.
structure: mistakes that show without the source's schema.
messages: what pydantic found, in words for the person who wrote the file.
jsonschema: the JSON Schema of a mapping file, for editors.
"""
