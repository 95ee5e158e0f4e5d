"""A plan, and what carries it out.

plan: what apply would do.
run: one apply, over as many processes and restarts as it takes.
chunk: what is read and written at a time.
"""
