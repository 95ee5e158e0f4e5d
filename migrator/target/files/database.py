"""The state's SQLite database. Several processes use it at once, each step in a short transaction of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager

from migrator.errors import LeaseLost, TargetError
from migrator.target.files.failure import translated
from migrator.target.files.folder import Folder

_VERSION = 2
_BUSY_SECONDS = 30.0
_SCHEMA = """
CREATE TABLE runs (id TEXT PRIMARY KEY, status TEXT NOT NULL, started TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE run_collections (
    run TEXT NOT NULL, collection TEXT NOT NULL, planned INTEGER NOT NULL DEFAULT 0,
    assembled INTEGER NOT NULL DEFAULT 0, assembled_bytes INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (run, collection)
);
CREATE TABLE chunks (
    run TEXT NOT NULL, collection TEXT NOT NULL, number INTEGER NOT NULL, range TEXT NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0, by TEXT NOT NULL DEFAULT '', done INTEGER NOT NULL DEFAULT 0,
    part_bytes INTEGER NOT NULL DEFAULT 0, documents INTEGER NOT NULL DEFAULT 0, rows INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0, rejected INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0,
    holding INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (run, collection, number)
) WITHOUT ROWID;
CREATE INDEX chunks_pending ON chunks (run, collection, number) WHERE done = 0;
CREATE TABLE rejected (
    run TEXT NOT NULL, collection TEXT NOT NULL, chunk INTEGER NOT NULL, n INTEGER NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (run, collection, chunk, n)
) WITHOUT ROWID;
CREATE TABLE collections (name TEXT PRIMARY KEY, run TEXT NOT NULL DEFAULT '', record TEXT, intent TEXT);
CREATE TABLE leases (name TEXT PRIMARY KEY, token TEXT NOT NULL, beat INTEGER NOT NULL, owner TEXT NOT NULL);
CREATE TABLE holdings (number INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL)
"""
# From the format before to this one.
_UPGRADES = {
    1: """
ALTER TABLE chunks ADD COLUMN holding INTEGER NOT NULL DEFAULT 0;
CREATE TABLE holdings (number INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL)
"""
}


class StateDatabase:
    """Opens the database for every transaction: no connection is shared by threads or survives a fork.

    The journal is SQLite's default one (rollback, synced at every commit): a write-ahead log needs shared memory, which
    network file systems don't have.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """For looking only. Where there is no state yet, an empty one that leaves nothing on the disk."""
        path = self._folder.database
        with translated(path):
            if path.exists():
                connection = _connect(f"{path.as_uri()}?mode=rw")
            else:
                connection = _connect(":memory:")
                connection.executescript(_SCHEMA)
            with closing(connection):
                yield connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction, on the disk when the block ends; undone when it raises."""
        path = self._folder.database
        with translated(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with closing(_connect(f"{path.as_uri()}?mode=rwc")) as connection:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    self._ensure_schema(connection)
                    yield connection
                except BaseException:
                    # A full disk makes SQLite undo it by itself (https://www.sqlite.org/lang_transaction.html).
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")

    def _ensure_schema(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == _VERSION:
            return
        if version > _VERSION:
            raise TargetError(
                f"the state was made by another version of migrator (format {version}, this one knows {_VERSION})",
                where=str(self._folder.database),
                hint="Use that version, or write to another folder.",
            )
        scripts = [_UPGRADES[each] for each in range(version, _VERSION)] if version else [_SCHEMA]
        # executescript would commit the transaction that keeps two processes from doing this at once.
        for statement in (statement for script in scripts for statement in script.split(";")):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {_VERSION}")


class LeasedDatabase:
    """The database as the owner of a lease changes it (premise C): each transaction looks at the lease too."""

    def __init__(self, database: StateDatabase, token: str, where: str) -> None:
        self._database = database
        self._token = token
        self._where = where

    def read(self) -> AbstractContextManager[sqlite3.Connection]:
        return self._database.read()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """See StateDatabase.write.

        Raises:
            LeaseLost: when another process has the lease by now.
        """
        with self._database.write() as state:
            if state.execute("SELECT 1 FROM leases WHERE token = ?", (self._token,)).fetchone() is None:
                raise LeaseLost(
                    "another process has taken over the work on this target",
                    where=self._where,
                    hint="Let that one finish.",
                )
            yield state


# What changes the state, and what only looks at it, opens transactions in the same way.
AnyDatabase = StateDatabase | LeasedDatabase


def _connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
