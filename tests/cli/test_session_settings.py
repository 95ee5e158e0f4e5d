"""Every command on servers whose sessions begin with bad values, by an account with what `doctor` asks for, no more.

Data and mapping are such that sessions with these values read something else, or stop.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy.engine import make_url

from dev.servers import discover
from dev.servers.session import Session
from migrator.cli.main import main
from migrator.source.connection.url import SourceUrl
from tests.histories.judge import documents
from tests.oracle.compare import differences
from tests.oracle.documents import Oracle
from tests.source import hostile
from tests.source.hostile import HARMLESS, NOT_GLOBAL, SESSION_ONLY, VALUES, HostileServer, assignments

TABLES = (
    "CREATE TABLE `odd name` (id INT PRIMARY KEY, code CHAR(12) NOT NULL, text VARCHAR(200) NOT NULL,"
    " at TIMESTAMP(3) NULL, day DATE NOT NULL, price DECIMAL(10,2) NOT NULL, UNIQUE (code))",
    "CREATE TABLE parts (id INT AUTO_INCREMENT PRIMARY KEY, odd_id INT NULL, note VARCHAR(200) NOT NULL,"
    " FOREIGN KEY (odd_id) REFERENCES `odd name` (id) ON DELETE CASCADE)",
    "INSERT INTO `odd name` WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 60)"
    " SELECT id, CONCAT('c', id), CONCAT(REPEAT('x', 100), 61 - id), FROM_UNIXTIME(1700000000 + 9999 * id),"
    " IF(id % 7, '2024-01-01' + INTERVAL 11 * id DAY, '0000-00-00'), id * 1.37 FROM n",
    """UPDATE `odd name` SET text = 'é 😀 "two" \\'one\\' \\\\ back' WHERE id % 5 = 0""",
    "INSERT INTO parts (odd_id, note) SELECT id, CONCAT(REPEAT('y', 99), id) FROM `odd name`",
    "INSERT INTO parts (odd_id, note) SELECT odd_id % 10 + 1, CONCAT(note, 'z') FROM parts",
    "INSERT INTO parts (odd_id, note) SELECT odd_id, note FROM parts",
)
MAPPING = r"""
collection: odd
from: odd name
where: NOT id BETWEEN 7 AND 9 AND text <> 'back\\slash' AND text <> "double"
policies: {zero_date: null}
fields:
  third: {sql: price / 3}
  week: {sql: WEEK(day)}
  month: {sql: "DATE_FORMAT(at, '%M')"}
  same: {sql: "CAST(id AS CHAR) = CAST(price AS CHAR)", type: bool}
embed:
  parts: {from: parts, many: true, columns: [id, note], order_by: [note, id]}
"""
CHANGES = (
    "INSERT INTO `odd name` VALUES (61, 'new', 'ü', '2024-05-05 05:05:05', '2024-05-05', 9.99)",
    "UPDATE `odd name` SET code = CONCAT('d', id), price = price + 1 WHERE id > 10 AND id < 20",
    "INSERT INTO parts (odd_id, note) SELECT id, 'later' FROM `odd name` WHERE id > 30",
    "DELETE FROM `odd name` WHERE id IN (21, 22, 23)",
    "UPDATE parts SET odd_id = odd_id + 1 WHERE id % 11 = 0 AND odd_id < 20",
)


@dataclass(frozen=True)
class Beginning:
    """What sessions begin with: global values, and what init_connect sets. Servers without a variable are spared it."""

    globals: dict[str, str] = field(default_factory=dict)
    init: dict[str, str] = field(default_factory=dict)
    then: str = ""


_NO_GLOBAL = (*SESSION_ONLY, *NOT_GLOBAL)
CASES = {
    "a small sql_select_limit": Beginning({"sql_select_limit": "2"}),
    "a large sql_select_limit": Beginning({"sql_select_limit": "55"}),
    "autocommit": Beginning({"autocommit": "0"}),
    "READ COMMITTED": Beginning({"transaction_isolation": "'READ-COMMITTED'", "tx_isolation": "'READ-COMMITTED'"}),
    "ANSI": Beginning({"sql_mode": "'ANSI,NO_BACKSLASH_ESCAPES'"}),
    "HIGH_NOT_PRECEDENCE": Beginning({"sql_mode": "'HIGH_NOT_PRECEDENCE,PAD_CHAR_TO_FULL_LENGTH'"}),
    "TRADITIONAL": Beginning({"sql_mode": "'TRADITIONAL,IGNORE_SPACE,NO_UNSIGNED_SUBTRACTION,PIPES_AS_CONCAT'"}),
    "max_join_size": Beginning({"max_join_size": "1"}),
    "all by the server": Beginning({name: value for name, value in VALUES.items() if name not in _NO_GLOBAL}),
    "all by init_connect": Beginning(init=VALUES),
    "a transaction": Beginning({"autocommit": "0"}, {"completion_type": "'CHAIN'"}, "; START TRANSACTION"),
    "another database": Beginning({}, {"sql_notes": "0"}, "; USE information_schema"),
    "what changes no result": Beginning(HARMLESS),
}
MARIADB_CASES = {
    "ORACLE": Beginning({"sql_mode": "'ORACLE,EMPTY_STRING_IS_NULL,SIMULTANEOUS_ASSIGNMENT,TIME_ROUND_FRACTIONAL'"}),
}


@pytest.fixture(scope="module")
def server(servers: Session) -> Iterator[HostileServer]:
    private = discover.private_mysql(servers.say)
    try:
        with hostile.hostile(private) as made:
            yield made
    finally:
        private.stop()


@pytest.fixture
def account(server: HostileServer) -> Iterator[SourceUrl]:
    with server.account("least") as url:
        server.sql(*TABLES)
        yield url


@dataclass(frozen=True)
class Commands:
    source: str
    target: str
    folder: Path

    def run(self, *arguments: str) -> None:
        own = {"MIGRATOR_SOURCE": self.source, "MIGRATOR_TARGET": self.target, "MIGRATOR_MAPPINGS": str(self.folder)}
        result = CliRunner().invoke(main, arguments, env=own)
        assert result.exit_code == 0, f"{arguments}: {result.output}\n{result.exception!r}"


@pytest.mark.slow
@pytest.mark.parametrize("name", [*CASES, *MARIADB_CASES])
def test_every_command(
    server: HostileServer,
    account: SourceUrl,
    mongodb_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    if name in MARIADB_CASES and "mariadb" not in server.sql("SELECT VERSION()")[0][0].lower():
        pytest.skip("MySQL has no such mode")
    beginning = (CASES | MARIADB_CASES)[name]
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "mappings"
    folder.mkdir()
    (folder / "odd.yaml").write_text(MAPPING, encoding="utf-8")
    least = make_url(server.url).set(username=account.user, password=account.password, database=account.database)
    migrator = Commands(least.render_as_string(hide_password=False), mongodb_url, folder)
    everything = make_url(server.url).set(database=account.database).render_as_string(hide_password=False)

    def agrees() -> None:
        found = documents(mongodb_url, "odd")
        assert differences(Oracle(everything, folder).all_grouped("odd").documents, found) == []
        assert len(found) > 50

    bad = server.existing(beginning.init)
    init = (assignments(bad) + beginning.then) if bad else ""
    with server.globals(server.existing(beginning.globals)), server.init_connect(init):
        for arguments in (("check",), ("plan",), ("apply", "--yes"), ("verify",)):
            migrator.run(*arguments)
        agrees()
        server.sql(*CHANGES)
        migrator.run("sync", "--until-caught-up")
        agrees()
        migrator.run("verify")
        migrator.run("doctor")
