"""sync: keeps published collections in step with the source's change log.

backlog: whether something waits in the state.
batch: what was read of the log and is not treated yet.
cache_invalidation: removes changed documents from the cache of the application's repositories.
capture: takes changed keys from the log into the state while a copy runs.
cascades: rows that a cascade changes without an event in the log (premise B).
change_handler: what is done with references.
checkpoint: where each followed collection stands in the log, as the state has it (rule 5).
dirty_queue: rebuilds the documents that are dirty in the state, a bounded piece at a time.
dry_run: a sync that writes nothing and says which documents it would rebuild.
follower: follows the change log for some collections.
known_tables: what the tables of some collections look like.
log_queue: reads the change log in a thread of its own, so that reading goes on while documents are rebuilt.
progress_meter: the report of a sync.
rebuild: rebuilds single documents from one snapshot.
reconnecting_log: the change log with reconnects.
renewals: what is done when the columns of a collection's mapping are renewed (migrator.renewal).
reports: reports of a sync.
root_keys: from references to root keys, within one snapshot and up to a limit.
schema_watch: keeps the mappings of the followed collections in step with their tables.
status: the progress of copy and sync, from the target's state alone, whatever machine they run on.
sync: keeps live collections in step with the source's change log until told to stop.
"""
