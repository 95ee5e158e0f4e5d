"""What the server must allow: for `plan` what sync will need, for `doctor` everything, line by line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, bindparam, text

from migrator.errors import SourceError, SyncBlocked
from migrator.model.change.position import ServerIdentity
from migrator.model.plan.plan import Finding
from migrator.model.report.check import Check
from migrator.model.text.formatting import listed
from migrator.same_server import ONE_ADDRESS
from migrator.source.connection import session_settings
from migrator.source.connection.connect import connected
from migrator.source.connection.failure import error_code
from migrator.source.connection.identity import read_identity
from migrator.source.connection.session_settings import SessionRefused
from migrator.source.connection.url import SourceUrl
from migrator.source.log_position import version_tuple
from migrator.source.preflight import log_settings
from migrator.source.preflight.grants import Grants, Need, files_need, grant_global, grant_reading, sync_need
from migrator.source.preflight.log_settings import Setting
from migrator.source.preflight.server_facts import ServerFacts, read_facts
from migrator.source.schema.read import cascading_keys

CONNECTIONS = 3  # opened to see whether all reach the same server
CLOCK_SKEW = timedelta(seconds=5)
PACKET = 16 << 20  # bytes of the biggest document, which may be one row
OLDEST = {"mysql": (8, 0), "mariadb": (10, 6)}

# Character sets in daily use; in others, text written through a wrongly declared connection is more common.
_USUAL = ("utf8mb4", "utf8mb3", "utf8", "latin1", "ascii")
_UTC = ("UTC", "+00:00", "Etc/UTC", "GMT")
_NAMED = 5

# Settings that cost time, not rows.
_NO_REASON = ("binlog_expire_logs_seconds",)


def findings(url: SourceUrl) -> tuple[Finding, ...]:
    """What a plan says about the source: all of it warnings, for a copy needs none of it.

    Raises:
        SourceError, SourceUnavailable: when the server can't be asked.
    """
    with connected(url) as connection:
        facts = read_facts(connection)
    if not log_settings.has_log(facts.variables):
        setting = log_settings.log_bin(facts.variables)
        return (Finding("warning", "no-change-log", "source", setting.text, setting.fix),)
    found = [
        Finding("warning", setting.name.replace("_", "-"), "source", f"{setting.name}: {setting.text}", setting.fix)
        for setting in _sync_settings(facts)
        if not setting.good
    ]
    missing = sync_need(facts.server).missing(facts.grants)
    if missing:
        needed = ", ".join(missing)
        text_ = f"sync needs privileges that the account lacks: {needed}"
        found.append(Finding("warning", "privileges", "source", text_, grant_global(missing, facts.account)))
    return tuple(found)


def require_followable(url: SourceUrl) -> None:
    """What sync can't do without.

    Raises:
        SyncBlocked: for every setting and privilege that is not as sync needs it, in one; a short time until log files
            expire is no reason.
        SourceError, SourceUnavailable: when the server can't be asked.
    """
    with connected(url) as connection:
        facts = read_facts(connection)
    settings = [log_settings.log_bin(facts.variables)]
    if settings[0].good:
        settings += _sync_settings(facts)
    wrong = [one for one in settings if not one.good and one.name not in _NO_REASON]
    said = [f"{one.name}: {one.text}" for one in wrong]
    hints = [one.fix for one in wrong]
    missing = sync_need(facts.server).missing(facts.grants)
    if missing:
        said.append(f"the account lacks {', '.join(missing)}")
        hints.append(grant_global(missing, facts.account) + _roles_hint(facts))
    if said:
        raise SyncBlocked(
            f"the change log can't be followed as it is: {'; '.join(said)}",
            where=url.place,
            hint="\n  ".join(hints),
        )


def cascades_are_logged(url: SourceUrl) -> bool:
    """Whether what foreign keys change leaves row events (premise B)."""
    with connected(url) as connection:
        facts = read_facts(connection)
    return log_settings.cascades_are_logged(facts.server, facts.variables)


def checks(url: SourceUrl) -> Iterator[Check]:
    """The source's lines of `doctor`. What stops one check is its line; the others go on."""
    try:
        with connected(url) as connection:
            facts = read_facts(connection)
    except SourceError as error:
        fix = _way_in(url) if _is_closed(error) else error.hint
        name = "session settings" if isinstance(error, SessionRefused) else "reachable"
        yield Check("source", "blocked", name, f"{error.where}: {error.what}", fix)
        return
    yield Check("source", "ok", "reachable", f"{url} as {facts.account}")
    yield _version(facts.server)
    for look in (
        lambda: _same_server(url, facts.server),
        lambda: _privileges(url, facts),
        lambda: _log(facts),
        lambda: _connected_checks(url, facts),
    ):
        yield from _guarded(look)


def _is_closed(error: SourceError) -> bool:
    """Whether the account may log in, but not use the database (ER_DBACCESS_DENIED_ERROR)."""
    return error.__cause__ is not None and error_code(error.__cause__) == 1044


def _way_in(url: SourceUrl) -> str:
    with connected(replace(url, database="")) as connection:
        return _reading(read_facts(connection), url.databases)


def _guarded(look: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    try:
        yield from look()
    except SourceError as error:
        yield Check("source", "warning", "not looked at", f"{error.where}: {error.what}", error.hint)


def _version(server: ServerIdentity) -> Check:
    name = "MariaDB" if server.flavor == "mariadb" else "MySQL"
    version, oldest = version_tuple(server), OLDEST[server.flavor]
    wanted = ".".join(map(str, oldest))
    if version < oldest:
        what = f"{name} {server.version} is older than {wanted}, the oldest that migrator knows"
        return Check("source", "blocked", "version", what, "Copy from a replica of a newer version.")
    return Check("source", "ok", "version", f"{name} {server.version}")


def _same_server(url: SourceUrl, first: ServerIdentity) -> Iterator[Check]:
    """Premise A: a proxy that spreads connections would lose rows."""
    reached = {first.uuid}
    for _ in range(CONNECTIONS):
        with connected(url) as connection:
            reached.add(read_identity(connection).uuid)
    if len(reached) == 1:
        yield Check("source", "ok", "same server", f"every connection reaches {first.uuid}")
        return
    yield Check(
        "source",
        "blocked",
        "same server",
        f"connections reach different servers: {', '.join(sorted(reached))}",
        ONE_ADDRESS,
    )


def _privileges(url: SourceUrl, facts: ServerFacts) -> Iterator[Check]:
    """SELECT on every database, and what sync and a copy into files need besides."""
    grants = facts.grants
    closed = [name for name in url.databases if not grants.may_read(name)]
    partly = {name: text for name in closed if (text := _readable(grants, name))}
    if not closed:
        yield _ok("privileges", f"may read {', '.join(url.databases)}")
    for name in closed:
        what = f"may not read all of {name}"
        what += f", only {partly[name]}" if name in partly else ""
        fix = _reading(facts, [name])
        yield Check("source", "warning" if name in partly else "blocked", "privileges", what, fix)
    yield _need(sync_need(facts.server), facts)
    yield _need(files_need(facts.server), facts)


def _readable(grants: Grants, database: str) -> str:
    """What of a database may be read where not all of it may; "" for nothing."""
    whole, some = grants.readable_tables(database), grants.partly_readable_tables(database)
    texts = [f"{len(whole)} of its tables"] if whole else []
    texts += [f"some columns of {listed(sorted(some), most=8)}"] if some else []
    return " and ".join(texts)


def _reading(facts: ServerFacts, databases: Sequence[str]) -> str:
    return grant_reading(databases, facts.account, literal=facts.grants.literal) + _roles_hint(facts)


def _need(need: Need, facts: ServerFacts) -> Check:
    missing = need.missing(facts.grants)
    if not missing:
        return _ok("privileges", f"enough for {need.purpose}")
    what = f"{need.purpose} needs {', '.join(missing)}"
    return Check("source", "warning", "privileges", what, grant_global(missing, facts.account) + _roles_hint(facts))


def _roles_hint(facts: ServerFacts) -> str:
    if not facts.grants.roles:
        return ""
    return f"\nOr, if a role has it that isn't active: SET DEFAULT ROLE ... (granted: {', '.join(facts.grants.roles)})."


def _sync_settings(facts: ServerFacts) -> Iterator[Setting]:
    """All that must be right for sync, where there is a change log."""
    yield from log_settings.log_settings(facts.server, facts.variables)
    replica = log_settings.replica_log(facts.variables, is_replica=bool(facts.is_replica))
    if replica is not None:
        yield replica
    if not facts.session_logs:
        fix = "Look for sql_log_bin = 0 in init_connect: what such sessions write can't be followed."
        yield Setting("sql_log_bin", False, "OFF in new sessions: their changes are not logged", fix)
    if facts.filters:
        fix = "Remove binlog_do_db and binlog_ignore_db from the server's configuration and restart it."
        yield Setting("binlog_do_db", False, f"the log is limited: {facts.filters}", fix)
    if facts.prepared:
        plural = "" if facts.prepared == 1 else "s"
        fix = "XA RECOVER; shows them. Commit them or roll them back before sync starts."
        what = f"{facts.prepared} XA transaction{plural} prepared: the rows are in the log before the start"
        yield Setting("xa", False, what, fix)
    elif facts.prepared == 0:
        yield Setting("xa", True, "no XA transaction is prepared")


def _log(facts: ServerFacts) -> Iterator[Check]:
    """The change log: only sync needs it, so nothing here is worse than a warning."""
    first = log_settings.log_bin(facts.variables)
    yield _setting(first)
    if not first.good:
        return
    for setting in _sync_settings(facts):
        yield _setting(setting)
    if facts.prepared is None:
        yield Check(
            "source", "warning", "xa", "the account may not list prepared XA transactions", "See privileges above."
        )
    if facts.log_files is not None and facts.log_bytes is not None:
        plural = "" if facts.log_files == 1 else "s"
        yield _ok("log size", f"{facts.log_files} file{plural}, {facts.log_bytes / (1 << 20):,.0f} MB")


def _setting(setting: Setting) -> Check:
    return Check("source", "ok" if setting.good else "warning", setting.name, setting.text, setting.fix)


def _connected_checks(url: SourceUrl, facts: ServerFacts) -> Iterator[Check]:
    with connected(url) as connection:
        yield from _session(connection, facts.server)
        if log_settings.has_log(facts.variables):
            yield _cascades(connection, url, facts)
        yield _time_zone(facts)
        yield _character_sets(connection, url)
        yield _clock(connection)
        yield _packet(facts)


def _session(connection: Connection, server: ServerIdentity) -> Iterator[Check]:
    """What `setting_up` could not give the session, or what the server let pass and did not do."""
    wanted = session_settings.settings_of(server.flavor, version_tuple(server))
    rows = connection.exec_driver_sql(session_settings.inquiry(wanted))
    found = session_settings.deviations(wanted, {str(name): str(value) for name, value in rows})
    if not found:
        yield _ok("session settings", f"{len(wanted)} variables have the values that migrator works with")
    for deviation in found:
        setting = deviation.setting
        fix = f"SET GLOBAL {setting.name} = {setting.value or setting.shown}; or check init_connect."
        status: Literal["warning", "blocked"] = "blocked" if setting.changes_results else "warning"
        yield Check("source", status, "session settings", str(deviation), fix)


def _cascades(connection: Connection, url: SourceUrl, facts: ServerFacts) -> Check:
    """Premise B."""
    if log_settings.cascades_are_logged(facts.server, facts.variables):
        triggers = log_settings.is_on(facts.variables.get("enable_cascade_triggers", "OFF"))
        also = ", and so is what the triggers change that they fire (enable_cascade_triggers)" if triggers else ""
        return _ok("cascades", f"ON DELETE CASCADE and SET NULL are in the log{also}")
    keys = cascading_keys(connection, url.databases)
    if not keys.known and not keys.hidden:
        return _ok("cascades", "no foreign key cascades (the log would not show it)")
    count = keys.known + keys.hidden
    what = f"{count} foreign key{'' if count == 1 else 's'} with CASCADE or SET NULL, whose changes are not in the log"
    if keys.hidden:
        what += f"; of {keys.hidden} the account may not see whether they have one of these rules"
    fix = "`migrator plan` names those that lead into mapped tables, and what to do."
    return Check("source", "warning", "cascades", what, fix)


def _time_zone(facts: ServerFacts) -> Check:
    zone = facts.variables.get("time_zone", "")
    shown = f"{zone} ({facts.variables.get('system_time_zone', '')})" if zone == "SYSTEM" else zone
    effective = facts.variables.get("system_time_zone", "") if zone == "SYSTEM" else zone
    if effective in _UTC:
        return _ok("time zone", f"{shown}; migrator's sessions use +00:00")
    return Check(
        "source",
        "warning",
        "time zone",
        f"{shown}; migrator's sessions use +00:00, so TIMESTAMP is safe, but DATETIME holds whatever clock the "
        "application wrote",
        "If that was local time, write `datetime_zone: <IANA name>` under `policies:` in migrator.yaml.",
    )


_CHARSETS = text(
    "SELECT CHARACTER_SET_NAME AS charset, TABLE_SCHEMA AS db, TABLE_NAME AS name, COLUMN_NAME AS col "
    "FROM information_schema.COLUMNS WHERE TABLE_SCHEMA IN :databases AND CHARACTER_SET_NAME IS NOT NULL "
    "AND CHARACTER_SET_NAME NOT IN :usual ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION"
).bindparams(bindparam("databases", expanding=True), bindparam("usual", expanding=True))


def _character_sets(connection: Connection, url: SourceUrl) -> Check:
    values = {"databases": list(url.databases), "usual": list(_USUAL)}
    rows = connection.execute(_CHARSETS, values).all()
    if not rows:
        return _ok("character sets", "only " + ", ".join(name for name in _USUAL if name != "utf8"))
    shown = ", ".join(f"{row.db}.{row.name}.{row.col} ({row.charset})" for row in rows[:_NAMED])
    more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    return Check(
        "source",
        "warning",
        "character sets",
        f"unusual: {shown}{more}; the server converts them to UTF-8 by the columns' declaration",
        "Look at some documents (`migrator plan --samples 5`): bytes of another character set in there come out wrong.",
    )


def _clock(connection: Connection) -> Check:
    before = datetime.now(UTC)
    there = connection.exec_driver_sql("SELECT UTC_TIMESTAMP(6)").scalar()
    after = datetime.now(UTC)
    if not isinstance(there, datetime):
        raise AssertionError(f"UTC_TIMESTAMP is {there!r}")
    skew = there.replace(tzinfo=UTC) - (before + (after - before) / 2)
    if abs(skew) <= CLOCK_SKEW:
        return _ok("clock", f"{abs(skew).total_seconds():.1f} s from this machine's")
    what = f"{abs(skew).total_seconds():,.0f} s {'later' if skew > timedelta(0) else 'earlier'} than this machine's"
    return Check("source", "warning", "clock", what, "Set both by NTP, or times in reports will not fit together.")


def _packet(facts: ServerFacts) -> Check:
    size = int(facts.variables.get("max_allowed_packet", 0))
    shown = f"{size / (1 << 20):.3g} MB"
    if size >= PACKET:
        return _ok("max_allowed_packet", shown)
    what = f"{shown}: the server can't send a row larger than that"
    return Check("source", "warning", "max_allowed_packet", what, f"SET GLOBAL max_allowed_packet = {4 * PACKET};")


def _ok(name: str, what: str) -> Check:
    return Check("source", "ok", name, what)
