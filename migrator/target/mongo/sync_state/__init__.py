"""What sync keeps in the target.

dirty: references whose documents are still to be rebuilt, as documents of `_migrator_dirty`.
leftovers: what sync stored for runs that are over.
rejected: documents that sync could not make, in `_migrator_rejected`, as those of the copy are (edge case 55).
scopes: how documents of the state say which scope they belong to.
state: what sync stores in a MongoDB database, in one place.
sync_notes: small facts that sync stores, as documents of `_migrator_sync`.
tracked: rows that silent cascades may change (premise B).
"""
