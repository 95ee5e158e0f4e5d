"""The commands as the command line parses them: options only, so that `--help` loads no driver.

apply: the copy.
cutover: the switch from MySQL to the documents.
generate: generate and fanout.
help: the pages of the documentation.
inspect: commands that only read.
sync: sync and status.
verify: whether the target agrees with the source.
"""
