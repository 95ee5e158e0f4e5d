"""What the server must allow.

checks: what the server must allow.
grants: what an account may do, from the text of SHOW GRANTS, and the GRANT statements that it lacks.
log_settings: whether the server's settings let its change log be followed.
partly_readable: tables of which an account may read some columns only (GRANT SELECT (a, b)).
server_facts: what preflight asks the server.
"""
