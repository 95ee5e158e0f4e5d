"""apply: executes a plan.

apply: executes a plan, from the first chunk to the last rename, and resumes where an earlier process stopped.
catch_up_trend: whether a catch-up gets closer to its end.
catch_up_watch: reports the progress of an apply's catch-up, and whether it will not end at this rate.
chunk_queue: which chunk comes next.
chunk_worker: copies one chunk.
copy: copies the collections of a run.
options: the options of an apply, what it reports while it works, and its result.
sync_handover: what apply does so that a sync can continue from its copy.
throttle: limits the load on the source.
trial: a trial.
unfinished: what an unfinished run still has to do, and whether a plan is for just that.
"""
