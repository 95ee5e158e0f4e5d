"""doctor's lines about kinds of index: what the server builds, what it refuses, and what could not be found out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from pymongo.database import Database
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError

from migrator.model.mapping.tree import IndexSpec
from migrator.model.report.check import Check
from migrator.target.mongo import checks
from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.index_trials import KINDS, IndexTrial, try_kinds
from migrator.target.url import MongoUrl, parse_target_url


@pytest.fixture
def session(mongodb_url: str) -> Iterator[Session]:
    url = parse_target_url(mongodb_url)
    assert isinstance(url, MongoUrl)
    with closing(Session(url)) as session:
        yield session


def failing(monkeypatch: pytest.MonkeyPatch, error: PyMongoError, name: str = "expiring") -> None:
    """Every createIndexes for the index `name` fails with `error`."""
    command = Database.command

    def fail(self: Any, what: Any, *args: Any, **more: Any) -> Any:
        if what == "createIndexes" and more["indexes"][0]["name"] == name:
            raise error
        return command(self, what, *args, **more)

    monkeypatch.setattr(Database, "command", fail)


def test_each_kind_is_tried_by_itself(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """MongoDB before 5.0 refuses two indexes with the same keys in one collection."""
    tried: list[tuple[str, str]] = []
    command = Database.command

    def note(self: Any, what: Any, *args: Any, **more: Any) -> Any:
        if what == "createIndexes":
            tried.extend((args[0], each["name"]) for each in more["indexes"])
        return command(self, what, *args, **more)

    monkeypatch.setattr(Database, "command", note)
    try_kinds(session, "_migrator_doctor_t")
    assert [name for _, name in tried] == [spec.name for spec in KINDS]
    assert len({collection for collection, _ in tried}) == len(KINDS)
    assert session.database.list_collection_names() == []


def test_kinds_with_the_same_keys_are_all_built(session: Session) -> None:
    """Also where the server itself refuses a second index with the same keys."""
    trials = {each.kind: each.answer for each in try_kinds(session, "_migrator_doctor_t")}
    assert trials["unique"] == trials["unique and partial"] == trials["with a collation"] == "built"


@pytest.mark.needs_mongodb("text and hashed indexes")
def test_mongodb_builds_every_kind(session: Session) -> None:
    assert try_kinds(session, "_migrator_doctor_t") == tuple(IndexTrial(spec.name, "built") for spec in KINDS)


def test_a_server_that_lacks_a_kind_says_so(session: Session) -> None:
    nonsense = IndexSpec("nonsense", (("n", "nonsense"),))
    (trial,) = try_kinds(session, "_migrator_doctor_t", [nonsense])
    assert trial.answer == "refused"
    assert trial.reason


NOT_SUPPORTED = [
    OperationFailure("Index type 'x' not supported", 67),
    OperationFailure("invalid option", 72),
    OperationFailure("no such command", 59),
    OperationFailure("Feature not supported: text", 303),
]
OTHER = [
    OperationFailure("not authorized", 13),
    OperationFailure("operation exceeded time limit", 50),
    OperationFailure("already exists with different options", 85),
    OperationFailure("not primary", 10107),
    OperationFailure("OutOfDiskSpace", 14031),
    OperationFailure("something else", 123456),
    AutoReconnect("connection closed"),
]


@pytest.mark.parametrize("error", NOT_SUPPORTED, ids=lambda error: str(error.code))
def test_not_supported_is_refused(session: Session, monkeypatch: pytest.MonkeyPatch, error: OperationFailure) -> None:
    failing(monkeypatch, error)
    trials = {each.kind: each.answer for each in try_kinds(session, "_migrator_doctor_t")}
    assert trials["expiring"] == "refused"
    assert trials["unique"] == trials["unique and partial"] == "built"


@pytest.mark.parametrize("error", OTHER, ids=str)
def test_any_other_failure_says_nothing_about_the_kind(
    session: Session, monkeypatch: pytest.MonkeyPatch, error: PyMongoError
) -> None:
    failing(monkeypatch, error)
    lines = index_lines(session)
    assert not [line for line in lines if "can't build" in line.text and "expiring" in line.text]
    (unknown,) = [line for line in lines if "not known" in line.text]
    assert unknown.status == "warning"
    assert "expiring" in unknown.text
    assert unknown.fix


def test_one_line_for_each_answer(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, OperationFailure("no", 67))
    lines = index_lines(session)
    (built,) = [line for line in lines if line.status == "ok"]
    (refused,) = [line for line in lines if "can't build" in line.text]
    assert "unique and partial" in built.text
    assert "expiring" not in built.text
    assert "expiring (no (67))" in refused.text
    assert "exit code 5" in refused.fix
    assert session.database.list_collection_names() == []


@pytest.mark.parametrize(("code", "verb"), [(13, "the account may not"), (50, "could not")])
def test_only_missing_rights_are_the_accounts(
    session: Session, monkeypatch: pytest.MonkeyPatch, code: int, verb: str
) -> None:
    command = Database.command

    def fail(self: Any, what: Any, *args: Any, **more: Any) -> Any:
        if what == "collMod":
            raise OperationFailure("no", code)
        return command(self, what, *args, **more)

    monkeypatch.setattr(Database, "command", fail)
    (line,) = [line for line in checks.checks(session) if line.name == "privileges"]
    assert line.status == "blocked"
    assert line.text.startswith(f"{verb} set a validator (collMod)")


def index_lines(session: Session) -> list[Check]:
    return [line for line in checks.checks(session) if line.name == "indexes"]
