"""The target's lines of `migrator doctor`, by trying things out on a throw-away collection."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Literal

from pymongo.errors import OperationFailure

from migrator.errors import TargetError
from migrator.model.report.check import Check
from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.index_trials import IndexTrial, try_kinds

Status = Literal["ok", "warning", "blocked"]

_LITTLE_SPACE = 0.1
_NO_RIGHTS = (13, 8000)  # Unauthorized, and what Atlas says instead


def checks(session: Session) -> Iterator[Check]:
    """One line each; ends after the first when the server can't be reached."""
    try:
        session.require_reachable()
        version = session.once(lambda: session.client.server_info()["version"])
        hello = session.once(lambda: session.client.admin.command("hello"))
    except TargetError as error:
        yield _line("blocked", "reachable", f"{error.where}: {error.what}", error.hint)
        return
    yield _line("ok", "reachable", f"{session.url.address}, version {version}")
    yield _topology(hello)
    yield from _trials(session)
    yield _space(session)


def _topology(hello: dict[str, Any]) -> Check:
    if hello.get("msg") == "isdbgrid":
        return _line("ok", "topology", "a sharded cluster's router; majority acknowledgements")
    if name := hello.get("setName"):
        members = len(hello.get("hosts", ())) + len(hello.get("passives", ()))
        text = f"replica set {name} with {members} member{'' if members == 1 else 's'} that hold data"
        return _line("ok", "topology", text)
    return _line(
        "warning",
        "topology",
        "a standalone server: nothing survives the loss of its disk, and it has no transactions",
        "For real data use a replica set; one member is enough for transactions.",
    )


def _trials(session: Session) -> Iterator[Check]:
    """Everything that apply does, on a collection of a name nobody else uses."""
    name = f"_migrator_doctor_{secrets.token_hex(4)}"
    other = f"{name}_renamed"
    database = session.database
    steps: tuple[tuple[str, Callable[[], object]], ...] = (
        ("insert", lambda: database[name].insert_one({"n": 1, "t": "a"})),
        ("replace", lambda: database[name].replace_one({"n": 1}, {"n": 1, "t": "b"}, upsert=True)),
        ("create an index", lambda: database[name].create_index("n")),
        ("set a validator (collMod)", lambda: database.command("collMod", name, validator={})),
        ("insert into another collection", lambda: database[other].insert_one({})),
        ("rename over a collection (renameCollection)", lambda: database[name].rename(other, dropTarget=True)),
        ("delete", lambda: database[other].delete_many({"n": 1})),
    )
    failed = [(step, error) for step, work in steps if (error := _try(session, work)) is not None]
    kinds = () if failed else try_kinds(session, name)
    for each in (name, other):
        if (error := _try(session, partial(database.drop_collection, each))) is not None:
            failed.append((f"drop a collection ({each})", error))
    if failed:
        step, error = failed[0]
        verb = "the account may not" if _is_about_rights(error) else "could not"
        yield _line("blocked", "privileges", f"{verb} {step}: {error.what}", error.hint)
        return
    yield _line("ok", "privileges", "create, insert, replace, delete, index, collMod, rename and drop work")
    yield from _index_kinds(kinds)


def _index_kinds(trials: Sequence[IndexTrial]) -> Iterator[Check]:
    """What the server builds, what it doesn't, and what could not be found out."""
    built = [each.kind for each in trials if each.answer == "built"]
    refused = [each for each in trials if each.answer == "refused"]
    unknown = [each for each in trials if each.answer == "unknown"]
    if built:
        yield _line("ok", "indexes", ", ".join(built))
    if refused:
        yield _line(
            "warning",
            "indexes",
            f"the server can't build some kinds of index: {_with_reasons(refused)}",
            "Such indexes of the mappings are left out; apply names each and ends with exit code 5.",
        )
    if unknown:
        yield _line(
            "warning",
            "indexes",
            f"not known whether the server can build some kinds of index: {_with_reasons(unknown)}",
            "Run doctor again when the server has time, or as an account with the privilege createIndex.",
        )


def _with_reasons(trials: Sequence[IndexTrial]) -> str:
    return "; ".join(f"{each.kind} ({each.reason})" for each in trials)


def _space(session: Session) -> Check:
    try:
        stats: dict[str, Any] = session.once(lambda: session.database.command("dbStats"))
    except TargetError as error:  # an account may lack the right to ask
        return _line("ok", "space", f"not known how much space the server's disk has left: {error.what}")
    total, used = stats.get("fsTotalSize"), stats.get("fsUsedSize")
    if not total or used is None:
        return _line("ok", "space", "the server doesn't report the free space on its disk")
    free = total - used
    text = f"{free / 1e9:.1f} GB of {total / 1e9:.1f} GB free on the server's disk"
    if free < total * _LITTLE_SPACE:
        return _line("warning", "space", text, "A copy needs room for new documents in addition to the live ones.")
    return _line("ok", "space", text)


def _is_about_rights(error: TargetError) -> bool:
    cause = error.__cause__
    return isinstance(cause, OperationFailure) and cause.code in _NO_RIGHTS


def _try(session: Session, work: Callable[[], object]) -> TargetError | None:
    try:
        session.once(work)
    except TargetError as error:
        return error
    return None


def _line(status: Status, name: str, text: str, fix: str = "") -> Check:
    return Check("target", status, name, text, fix)
