"""A MongoDB database as a target.

checks: the target's lines of `migrator doctor`, by trying things out on a throw-away collection.
connection: the connection to MongoDB, and what its errors mean.
copy_state: what a copy keeps in the target.
counter: numbers that are given out once only, each higher than all before.
handovers: which collections the application has, in `_migrator_cutover`, and the counters that its new ids come from.
index_trials: which kinds of index a server builds, found out by building one of each.
leases: leases and fences (premise C).
sums: sums over documents by MongoDB's own aggregation, arrays included.
sync_state: what sync keeps in the target.
target: a MongoDB database as a target.
verified: what verify reads of a MongoDB database, and what it records there.
writing: writing documents.
"""
