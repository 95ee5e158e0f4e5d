"""What an account may do, from the text of SHOW GRANTS, and the GRANT statements that it lacks. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from migrator.model.change.position import ServerIdentity

_NAME = r"(?:`(?:[^`]|``)*`|'(?:[^'\\]|''|\\.)*'|\"(?:[^\"]|\"\")*\"|[\w$.%-]+)"
_ACCOUNT = rf"{_NAME}(?:@{_NAME})?"
_GRANT = re.compile(
    rf"(?P<verb>GRANT|REVOKE) (?P<privileges>.+?) ON (?P<kind>TABLE |FUNCTION |PROCEDURE |PACKAGE (?:BODY )?)?"
    rf"(?P<database>\*|{_NAME})\.(?P<table>\*|{_NAME}) (?:TO|FROM) (?P<account>{_ACCOUNT})",
    re.IGNORECASE,
)
_ROLES = re.compile(rf"GRANT (?P<roles>{_ACCOUNT}(?:, ?{_ACCOUNT})*) TO {_ACCOUNT}", re.IGNORECASE)
# A privilege with a list of columns is another, smaller one.
_PRIVILEGE = re.compile(rf"\s*(?P<name>[^,(]+?)\s*(?P<columns>\((?:{_NAME}|[^)])*\))?\s*(?:,|$)")

# Names that MariaDB 10.5 gave to older privileges; SHOW GRANTS prints the new ones.
# https://mariadb.com/kb/en/grant/#global-privileges
_RENAMED = {"REPLICATION CLIENT": "BINLOG MONITOR", "REPLICATION REPLICA": "REPLICATION SLAVE"}


@dataclass(frozen=True)
class Grant:
    """Privileges on a database, or on one of its tables. `database` is a pattern as of LIKE, "*" for all.

    Attributes:
        columns: of the table that may be read where SELECT is not among the privileges.
    """

    privileges: frozenset[str]
    database: str
    table: str
    revoked: bool = False
    columns: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Grants:
    """All that an account has, with the roles that are active.

    Attributes:
        roles: names of roles that were granted, active or not.
        literal: databases' names hold no wildcards (MySQL's partial_revokes).
    """

    grants: tuple[Grant, ...]
    roles: tuple[str, ...] = ()
    literal: bool = False

    def everywhere(self, privilege: str) -> bool:
        """Whether the account has a privilege on all databases, global privileges included."""
        wanted = {privilege, _RENAMED.get(privilege, privilege), "ALL", "ALL PRIVILEGES"}
        return any(grant.database == "*" and grant.table == "*" and grant.privileges & wanted for grant in self.grants)

    def may_read(self, database: str) -> bool:
        """Whether the account may SELECT from every table of a database."""
        if self.everywhere("SELECT"):
            return not any(
                grant.revoked and "SELECT" in grant.privileges and self._names(grant, database) for grant in self.grants
            )
        return any(
            not grant.revoked and grant.table == "*" and _selects(grant) and self._names(grant, database)
            for grant in self.grants
        )

    def readable_tables(self, database: str) -> tuple[str, ...]:
        """Single tables of a database that the account may SELECT from."""
        return tuple(
            grant.table
            for grant in self.grants
            if grant.table != "*" and _selects(grant) and grant.database == database and not grant.revoked
        )

    def partly_readable_tables(self, database: str) -> tuple[str, ...]:
        """Tables of a database of which the account may SELECT some columns only."""
        if self.may_read(database):
            return ()
        whole = self.readable_tables(database)
        some = (grant.table for grant in self.grants if grant.columns and grant.database == database)
        return tuple(dict.fromkeys(table for table in some if table not in whole))

    def _names(self, grant: Grant, database: str) -> bool:
        if grant.database == "*":
            return False
        if self.literal:
            return grant.database == database
        return re.fullmatch(_like(grant.database), database, re.DOTALL) is not None


def parse_grants(lines: Iterable[str], *, literal: bool = False) -> Grants:
    """The rows of SHOW GRANTS; what is no grant on databases or tables (PROXY, functions) is left out.

    https://dev.mysql.com/doc/refman/8.4/en/show-grants.html
    """
    grants: list[Grant] = []
    roles: list[str] = []
    for line in lines:
        match = _GRANT.match(line)
        if match is None:
            granted = _ROLES.match(line)
            if granted is not None:
                roles += re.findall(_ACCOUNT, granted["roles"])
            continue
        if match["kind"] and match["kind"].strip().upper() != "TABLE":
            continue
        found = [(one["name"].upper(), one["columns"] or "") for one in _PRIVILEGE.finditer(match["privileges"])]
        names = frozenset(name for name, columns in found if not columns) - {"USAGE"}
        listed = [columns[1:-1] for name, columns in found if columns and name == "SELECT"]
        columns = frozenset(_unquoted(one) for text in listed for one in re.findall(_NAME, text))
        revoked = match["verb"].upper() == "REVOKE"
        grants.append(Grant(names, _unquoted(match["database"]), _unquoted(match["table"]), revoked, columns))
    return Grants(tuple(grants), tuple(roles), literal)


@dataclass(frozen=True)
class Need:
    """Privileges that serve one purpose.

    Attributes:
        purpose: `sync`: completes "... needs".
        any_of: alternatives for each privilege, the smallest first; one of each is needed.
    """

    purpose: str
    any_of: tuple[tuple[str, ...], ...]

    def missing(self, grants: Grants) -> tuple[str, ...]:
        """The smallest privileges that the account lacks for it."""
        return tuple(names[0] for names in self.any_of if not any(grants.everywhere(name) for name in names))


def sync_need(server: ServerIdentity) -> Need:
    """Reading the change log, finding where it stands, and seeing prepared XA transactions."""
    if server.flavor == "mariadb":
        return Need("sync", (("BINLOG MONITOR", "REPLICATION CLIENT", "SUPER"), ("REPLICATION SLAVE",)))
    return Need("sync", (("REPLICATION CLIENT", "SUPER"), ("REPLICATION SLAVE",), ("XA_RECOVER_ADMIN",)))


def files_need(server: ServerIdentity) -> Need:
    """FLUSH TABLES WITH READ LOCK, for the one moment that a copy into files reads. FLUSH_TABLES: MySQL 8.0.23."""
    names = ("RELOAD",) if server.flavor == "mariadb" else ("FLUSH_TABLES", "RELOAD")
    return Need("a copy into files by several workers", (names,))


def grant_reading(databases: Sequence[str], account: str, *, literal: bool = False) -> str:
    """The GRANT statements to read these databases.

    `_` and `%` in a database's name would stand for anything, unless `literal`.
    """
    names = [name if literal else re.sub(r"([_%\\])", r"\\\1", name) for name in databases]
    return "\n".join(f"GRANT SELECT ON `{name.replace('`', '``')}`.* TO {account};" for name in names)


def grant_global(privileges: Collection[str], account: str) -> str:
    """The GRANT statement for privileges that have no database."""
    return f"GRANT {', '.join(privileges)} ON *.* TO {account};"


def quoted_account(current_user: str) -> str:
    """CURRENT_USER()'s `name@host`, quoted for a GRANT; the host is what follows the last @."""
    name, _, host = current_user.rpartition("@")
    return "@".join("'" + part.replace("\\", "\\\\").replace("'", "''") + "'" for part in (name, host))


def _selects(grant: Grant) -> bool:
    return bool(grant.privileges & {"SELECT", "ALL", "ALL PRIVILEGES"})


def _unquoted(name: str) -> str:
    quote = name[0]
    if quote not in "`'\"":
        return name
    return name[1:-1].replace(quote * 2, quote)


def _like(pattern: str) -> str:
    """A database pattern as a regular expression."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return "".join(re.escape(part[1]) if len(part) == 2 else wild.get(part, re.escape(part)) for part in parts)
