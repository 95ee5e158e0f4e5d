"""Processes, threads, signals and retries."""
