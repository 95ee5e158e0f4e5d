"""What a copy keeps in the target: runs, chunks, what is loaded and what is live.

ensure: makes a collection unless it is there.
index_progress: the progress of an index that a server is building.
collection_store: collections of a MongoDB database.
records: records of published collections as documents of `_migrator_collections`.
runs: runs as documents of `_migrator_runs`.
state: Runs, chunks and rejected rows in the `_migrator_*` collections.
"""
