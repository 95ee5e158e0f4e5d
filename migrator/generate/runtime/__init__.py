"""What every generated package brings along: values, queries, joins and copies, for any collection.

`migrator generate` copies these modules into the package as `_runtime`, so that it needs nothing but pymongo. They
import each other relatively and nothing of migrator.
"""
