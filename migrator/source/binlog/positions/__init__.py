"""Positions in the change log.

cursor: where a stream of events has come to.
gtids: sets of GTIDs.
log_start: whether a position can be followed, and from where a reader starts.
log_status: how much log comes after a position, and how long it is kept.
"""
