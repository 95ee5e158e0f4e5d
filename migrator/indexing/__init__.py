"""MongoDB's rules for what an index can hold, as pure functions over documents.

`documents` is asked about a whole document and an index; `geometry` and `rings` know GeoJSON, `languages` the text
index, `plain` the ordinary index, `paths` how MongoDB walks a dotted path through arrays.

collations: collations of indexes.
conflicts: two indexes of a collection with the same keys.
documents: whether an index can hold a document, and if not, which field is why.
geometry: what a 2dsphere index refuses, by the rules that MongoDB documents for GeoJSON and legacy coordinates.
languages: a document's own language in a text index.
paths: how MongoDB's indexes follow a dotted path through sub-documents and arrays.
plain: the keys that a document has in an ordinary index, and why there may be none.
rings: rings of polygons on a sphere, where edges are great circles.
risks: which indexes of a mapping can refuse a document at all, and which parts of the tree their keys are made of.
"""
