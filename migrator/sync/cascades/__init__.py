"""Rows that a cascade changes without an event in the log (premise B).

initial_load: the rows that a copy has to track (premise B).
overlay: the tracked rows of one collection as they are now.
row_snapshot: reads the rows to track because of silent cascades, once, before their events keep them up to date.
tracker: keeps the tracked rows in step with the log, and finds out what cascades did without an event (premise B).
tracking: which rows are tracked for each collection, what their trackers make of row events.
"""
