"""MongoDB's rules for what an index can hold, as pure functions over documents.

`documents` is asked about a whole document and an index; `geometry` and `rings` know GeoJSON, `languages` the text
index, `plain` the ordinary index, `paths` how MongoDB walks a dotted path through arrays.
"""
