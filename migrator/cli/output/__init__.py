"""What people read: text for a terminal or a file, and one JSON object per line.

activity: lines that say what a command is doing.
cutover: what `cutover` prints.
log_output: standard error of a command.
metrics: metrics of a sync for Prometheus, at http://ADDRESS:PORT/metrics.
plan: a plan as text for people, the summary first.
plan_details: one collection of a plan in detail, as text for people.
plan_tree: a collection's tables as a tree.
status: what `status` prints.
sums: what `verify --independent` prints.
sync: what `sync` prints.
terminal: what the command line prints.
verify: what `verify` prints.
watch: what `status --watch` prints.
"""
