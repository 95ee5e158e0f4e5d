"""Leases and fences (premise C).

activity_store: what running commands record about themselves, as documents of `_migrator_activity`.
fencing_documents: which document is the fence of what (premise C).
store: leases as documents of `_migrator_leases`, and what a holding of one is known by.
transactors: the driver's sessions in which the owner of a lease runs transactions.
write_guard: keeps a process that lost its lease from changing anything (premise C).
"""
