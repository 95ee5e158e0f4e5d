"""Generates the typed data-access package of a set of mappings: pure up to `write`, which alone touches the disk.

code_layout: generated text as formatters leave it.
copies: which documents contain copies of which rows, and what must be done when a row changes.
copy_conditions: `where:` of a copy against its owner.
describe: the description of a package.
document_classes: from a mapping's tree to the dataclasses of its documents.
explain: which write affects which collections, and which copies have no owner.
homes: which collection a table's rows belong to, and which columns hold ids that new kinds of ids will get into.
invalidate: removes documents that a sync has written from the caches of generated repositories.
open_package: a generated package, imported and opened on a target.
package: what a generated package consists of, as inert data.
python_names: Python names from names of the database.
python_types: from a column's representation to its Python type and codec.
relations: references from both of their sides.
render: from the description of a package to the text of its modules.
runtime: what every generated package brings along.
sequences: the counters that generated repositories take new ids from, to be set when the application leaves the source.
write: the package on disk.
"""
