"""Processes, threads, signals and retries.

activity_recorder: records in the target what a command is doing, for `status`.
announcer: announces what a command is doing.
background: a thread of apply's own process, which has little to do while its workers copy.
garbage: Python's search for reference cycles, set for work that makes millions of objects and hardly any cycle.
interrupt: keeps Ctrl-C and SIGTERM out of steps that must not be half done.
log_capture: sends what libraries log and warn about, and uncaught exceptions, to one handler instead of standard error.
pool: worker processes over pipes.
retry: how long transient errors are retried, the same everywhere.
signals: Ctrl-C and SIGTERM.
time_limit: the lines of doctor, with a time limit.
"""
