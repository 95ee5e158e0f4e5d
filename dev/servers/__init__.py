"""Throwaway MySQL and MongoDB servers for demo, tests and benchmarks.

The role of each module:

- `model`: what a server is to its users, and what "not available here" means
- `guard`: ends servers and removes their folders even when the process that started them is killed
- `process`: one server process in a folder of its own: start, wait, kill, start again, stop
- `probe`: asks a server who it is
- `mysql`, `mongod`, `secantus`, `containers`: one way each to have a server
- `packages`: MariaDB from the system's packages
- `discover`: which of these ways is tried first
- `session`: one MySQL and one MongoDB server, started when first asked for

From a shell: `python -m dev.servers --help`.
"""
