"""Plans: what apply would do.

build: facts about source and target to a plan.
decide: which action a collection needs, and why.
index_rivals: indexes of a mapping that only some servers accept together.
log_rate: a short trial before a plan is made.
mapping_diff: what differs between two resolved mappings of a collection, in words.
outdated: whether a plan from a file may still be carried out.
plan_identity: a short name for what a plan does and what it was made for.
planner: reads and reports, changes nothing.
sync_findings: what a plan says about a later sync.
"""
