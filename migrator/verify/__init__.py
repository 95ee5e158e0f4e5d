"""Whether the target agrees with the source: every document is rebuilt and compared, and so are sums of both sides.

collection_pass: the progress of verify with one collection.
compare: two BSON documents compared by their bytes.
comparison: one comparison of some documents.
independent: the independent check.
outcome: the options of a verify, and what it reports while it works.
recheck: from differences to faults.
repair: corrects documents.
saved_pass: the pass that a verify begins or resumes, and its progress as the target keeps it.
selection: which documents are compared.
sync_monitor: whether a sync is running and how far it is.
tasks: what worker processes have to compare, and their answers.
verify: every document rebuilt from the source and compared with the target's, byte for byte.
work_queue: what is compared next.
worker: a worker process that compares documents.
"""
