"""The switch from the source to the target: a checklist that is run, and the record of it."""
