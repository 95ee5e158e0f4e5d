"""A folder of BSON files as a target.

activity_store: what running commands record about themselves, in the state's database.
bson_file_index: documents of a BSON file by `_id`.
checks: the target's lines of `migrator doctor`, by trying things out in a throw-away folder.
database: the state's SQLite database.
failure: the file system's and SQLite's errors in migrator's words.
folder: where everything is in a target's folder, and how files get their final names without ever being half there.
lease_store: the lease as a row of the state.
metadata: `<collection>.metadata.json` as mongodump writes it and mongorestore reads it.
collection_store: collections of a folder.
records: records of published collections as rows of the state.
state: Runs, chunks and rejected rows in the state's SQLite database.
sums: sums over the documents of a BSON file, each of them decoded once.
target: a folder of BSON files in mongodump's layout as a target.
verified: what verify reads of a folder of BSON files, and what it records there.
writer: writes chunks.
"""
