"""Connections to MySQL and MariaDB.

blocked: what keeps statements of this account waiting at the server.
connect: connections to the source.
driver: PyMySQL's connection, for many short sessions.
failure: the drivers' errors in migrator's words.
identity: which server a connection has reached.
session: carries out `session_settings` over a new connection, of either driver.
session_settings: which session variables every connection to the source sets, and why.
url: the source's address.
"""
