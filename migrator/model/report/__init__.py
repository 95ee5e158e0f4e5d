"""What commands tell and record of their work.

activity: what a command is doing now.
check: one line of `migrator doctor`.
status: how far copy and sync are.
verify: what verify compares, finds and saves.
sums: what `verify --independent` adds up.
cutover: the switch from the source to the target.
"""
