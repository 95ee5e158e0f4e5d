"""The switch from the source to the target: a checklist that is run, and the record of it.

cutover: the checklist before the application writes to the target, run as a command.
write_freeze: whether anything was written after a position.
"""
