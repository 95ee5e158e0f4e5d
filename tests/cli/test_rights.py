"""Every command with a server that checks passwords: as the least role that the docs name, as a reader, and with a
wrong password."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from dev.servers.mongod import LocalMongod, find_mongod
from migrator.errors import ExitCode
from tests.project import Ended, Project

pytestmark = [pytest.mark.slow, pytest.mark.needs_mongodb("accounts and roles")]

PASSWORD = "s3cret-of-the-account"
ACCOUNTS = "collection: accounts\nfrom: accounts\nembed:\n  entries: {from: entries, many: true}\n"
INDEXES = "indexes:\n  - keys: {owner: 1}\n  - keys: {number: 1}\n    unique: true\n"
TABLES = (
    "CREATE TABLE accounts (id INT PRIMARY KEY, owner VARCHAR(60) NOT NULL, number INT)",
    "CREATE TABLE entries (id INT PRIMARY KEY, account_id INT NOT NULL, text VARCHAR(40) NOT NULL,"
    " FOREIGN KEY (account_id) REFERENCES accounts (id))",
    "INSERT INTO accounts WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 50)"
    " SELECT id, CONCAT('owner ', id), id FROM n",
    "INSERT INTO entries SELECT id, id, CONCAT('first of ', id) FROM accounts",
)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A replica set of one that checks passwords; URL with the account of its administrator."""
    file = tmp_path_factory.mktemp("secured") / "key"
    file.write_text(secrets.token_hex(32))
    file.chmod(0o600)
    server = LocalMongod(find_mongod(), ("--auth", "--keyFile", str(file)))
    try:
        with MongoClient[dict[str, Any]](server.url) as client:
            # As long as there is no account, a client of the same machine may make one.
            client.admin.command("createUser", "admin", pwd=PASSWORD, roles=["root"])
        yield _as(server.url, "admin")
    finally:
        server.stop()


def _as(url: str, user: str, password: str = PASSWORD) -> str:
    host = url.removeprefix("mongodb://").rpartition("@")[2].partition("/")[0]
    return f"mongodb://{user}:{password}@{host}/{{}}?directConnection=true&authSource=admin"


@pytest.fixture
def project(mysql_url: str, secured: str, tmp_path: Path) -> Iterator[Project]:
    """Its target is the administrator's."""
    project = Project(tmp_path, mysql_url, secured.format(f"t_{secrets.token_hex(4)}"))
    project.mapping("accounts", ACCOUNTS + INDEXES)
    project.settings("retry_seconds: 4\n")
    project.sql(*TABLES)
    yield project
    for running in project.started:
        running.kill()
    with MongoClient[dict[str, Any]](project.target) as client:
        client.drop_database(_database(project))


def _database(project: Project) -> str:
    return project.target.rpartition("/")[2].partition("?")[0]


def account(project: Project, *roles: str) -> Project:
    """The project as an account with these roles on the database, and no others, sees it."""
    user = "_".join(("may", *roles))
    database = _database(project)
    with MongoClient[dict[str, Any]](project.target) as client:
        with suppress(OperationFailure):
            client.admin.command("dropUser", user)
        granted = [{"role": role, "db": database} for role in roles]
        client.admin.command("createUser", user, pwd=PASSWORD, roles=granted)
    return replace(project, target=_as(project.target, user).format(database))


def silent(ended: Ended, password: str = PASSWORD) -> Ended:
    assert password not in ended.out + ended.err, ended
    return ended


def done(ended: Ended) -> Ended:
    assert silent(ended).code == ExitCode.OK, ended
    return ended


def test_every_command_as_the_least_role(project: Project) -> None:
    """`readWrite` on the database, nothing else."""
    least = account(project, "readWrite")
    done(least.here("check"))
    done(least.here("plan"))
    done(least.apply_here())
    least.sql("UPDATE accounts SET owner = 'new' WHERE id = 7", "DELETE FROM entries WHERE id = 8")
    done(least.here("sync", "--until-caught-up"))
    done(least.here("status"))
    done(least.here("verify", "--workers", "1"))
    least.sql("UPDATE accounts SET owner = 'newer' WHERE id = 7")
    done(least.here("verify", "--workers", "1", "--repair"))
    done(least.here("verify", "--workers", "1", "--independent"))
    done(least.here("generate", "--package", "bank_data", "--out", str(least.folder)))
    # Again, so that a collection is renamed over the live one, and with a rebuild that is left unfinished before.
    done(least.apply_here("--replace", "accounts"))
    done(least.apply_here("--sample", "5"))
    sync = least.start("sync")
    sync.says("following")
    rehearsed = done(least.run("cutover", "--rehearse", "--workers", "1", seconds=120))
    assert "nothing was recorded" in rehearsed.out
    sync.kill()
    # A successor ends what the killed one may have left open.
    done(least.here("sync", "--until-caught-up"))
    doctor = silent(least.here("doctor"))
    # Only validators need more.
    assert doctor.code == ExitCode.OK or "collMod" in doctor.out, doctor


def test_validators_need_one_more_role(project: Project) -> None:
    project.mapping("accounts", f"{ACCOUNTS}validator: true\n{INDEXES}")
    refused = silent(account(project, "readWrite").apply_here())
    assert refused.code == ExitCode.TARGET, refused
    assert "collMod" in refused.err, refused
    more = account(project, "readWrite", "dbAdmin")
    done(more.apply_here())
    done(more.here("verify", "--workers", "1"))
    done(more.here("doctor"))


def test_a_reader_looks_and_changes_nothing(project: Project) -> None:
    reader = account(project, "read")
    done(reader.here("check"))
    done(reader.here("plan"))
    refused = silent(reader.apply_here())
    assert refused.code == ExitCode.TARGET, refused
    assert "readWrite" in refused.err, refused
    doctor = silent(reader.here("doctor"))
    assert doctor.code == ExitCode.BLOCKED, doctor
    assert "readWrite" in doctor.out, doctor
    done(account(project, "readWrite").apply_here())
    done(reader.here("plan"))
    done(reader.here("status"))
    before = _state(project)
    verified = done(reader.here("verify", "--workers", "1"))
    assert "can't be kept" in verified.out, verified
    for arguments in (("apply", "--yes", "--replace", "accounts"), ("sync", "--until-caught-up")):
        refused = silent(reader.here(*arguments))
        assert refused.code == ExitCode.TARGET, refused
    assert _state(project) == before


def _state(project: Project) -> dict[str, int]:
    with MongoClient[dict[str, Any]](project.target) as client:
        database = client.get_default_database()
        return {name: database[name].count_documents({}) for name in database.list_collection_names()}


COMMANDS = (
    ("plan",),
    ("apply", "--yes"),
    ("sync", "--until-caught-up"),
    ("status",),
    ("verify",),
    ("verify", "--repair"),
    ("cutover", "--rehearse"),
    ("doctor",),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_wrong_password(project: Project, command: tuple[str, ...]) -> None:
    wrong = replace(project, target=_as(project.target, "admin", "wr0ng-password").format(_database(project)))
    ended = silent(wrong.here(*command), "wr0ng-password")
    assert ended.code == (ExitCode.BLOCKED if command == ("doctor",) else ExitCode.TARGET), ended
    assert "password" in ended.out + ended.err, ended
