"""What each command does, in a module of the name of the one that declares its options.

apply: the copy.
cutover: the switch from MySQL to the documents.
generate: generate and fanout.
help: the pages of the documentation.
inspect: commands that only read.
shared: what several commands do.
sync: sync and status.
verify: whether the target agrees with the source.
"""
