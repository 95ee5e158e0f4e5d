"""A statement logged as text that names a mapped table's name in another database stops only where rows may be lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

import pytest
from sqlalchemy import Connection

from dev.servers.model import Unavailable
from dev.servers.mysql import LocalMysql, find_programs
from migrator.errors import SyncBlocked
from migrator.model.change.events import LogEvent, Rows, Statement, Truncate
from migrator.source import MySQLSource, open_source
from migrator.source.connection.connect import connected, connected_raw
from migrator.source.connection.url import SourceUrl
from tests.source.binlog.conftest import Follow
from tests.source.binlog.followed import Followed, watches_of
from tests.source.conftest import Execute

TABLES = (
    "CREATE TABLE users (id INT PRIMARY KEY, name VARCHAR(50), n INT)",
    "CREATE TABLE orders (id INT PRIMARY KEY, user_id INT, n INT)",
    "INSERT INTO users VALUES (1, 'a', 0), (2, 'b', 0)",
    "INSERT INTO orders VALUES (1, 1, 0), (2, 2, 0)",
)

FUNCTION = (
    "CREATE FUNCTION f() RETURNS INT DETERMINISTIC MODIFIES SQL DATA BEGIN UPDATE {here}.users SET n = 8; RETURN 1; END"
)


@dataclass(frozen=True)
class Text:
    """Writes to `there`, a database with tables of the same names as `here`, whose are followed; logged as text."""

    connection: Connection
    here: str
    there: str

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.connection.exec_driver_sql(statement.format(here=self.here, there=self.there))

    def plainly(self, *statements: str) -> None:
        """As rows."""
        self.run("SET SESSION binlog_format = 'ROW'", *statements, "SET SESSION binlog_format = 'STATEMENT'")


@pytest.fixture
def text(source: MySQLSource, second_database: str, execute: Execute) -> Iterator[Text]:
    execute(*TABLES)
    with connected(source.url) as connection:
        found = Text(connection, source.url.database, second_database)
        found.run("USE `{there}`", *TABLES, "SET SESSION binlog_format = 'STATEMENT'")
        yield found
        # Another one may be in use in a database that is dropped.
        found.run("USE `{here}`")


# Statement, and the default database it runs in.
PASSING = {
    "by the default database": ("there", "INSERT INTO users VALUES (3, 'c', 0)"),
    "by its name": ("here", "UPDATE `{there}`.users SET n = n + 1"),
    "quoted": ("here", "DELETE FROM `{there}` . `users` WHERE `id` = 1"),
    "no default database that has such a table": ("mysql", "UPDATE {there}.users SET n = 7"),
    "several tables": ("there", "UPDATE users u JOIN orders o ON o.user_id = u.id SET u.n = 5, o.n = 6"),
    "several tables by their names": (
        "here",
        "UPDATE {there}.users, {there}.orders SET users.n = 5 WHERE orders.user_id = users.id",
    ),
    "a delete from several": ("here", "DELETE u.* FROM {there}.users u JOIN {there}.orders o ON o.user_id = u.id"),
    "a delete by using": ("there", "DELETE FROM users, orders USING users JOIN orders ON orders.user_id = users.id"),
    "a select inside": (
        "there",
        "INSERT INTO users SELECT id + 10, name, n FROM users WHERE n IN (SELECT n FROM orders)",
    ),
    "a select from all over": ("there", "REPLACE INTO orders (id, user_id) SELECT id + 5, id FROM `{there}`.`users`"),
    "names in strings and comments": (
        "here",
        "INSERT INTO {there}.orders VALUES (9, 9, 0) /* {here}.users */ -- users\n",
    ),
    "names in a string": ("there", "UPDATE users SET name = ' {here}.users `users` \\' \"' # it's"),
    "a common table expression": (
        "there",
        "UPDATE users SET n = (WITH picked AS (SELECT max(n) m FROM orders) SELECT m FROM picked)",
    ),
    "a variable": ("here", "UPDATE {there}.orders SET n = COALESCE(@users, 1)"),
    "a function of the server": ("there", "UPDATE users SET n = LENGTH(CONCAT(name, 'users'))"),
}


def follow_here(follow: Follow) -> Followed:
    return follow("users", "orders")


def before_rows(followed: Followed) -> list[LogEvent]:
    """Whatever is read before the next rows, also of other databases."""
    return list(takewhile(lambda event: not isinstance(event, Rows), iter(followed.next, None)))


def passes(followed: Followed, execute: Execute) -> None:
    """What follows is read."""
    execute("INSERT INTO users VALUES (100, 'later', 0)")
    assert followed.changes() == [("users", None, (b"100", b"later", b"0"))]


def stops(followed: Followed, what: str) -> None:
    with pytest.raises(SyncBlocked, match="logged as text") as caught:
        followed.until_quiet()
    assert what in caught.value.what
    assert "binlog_format" in caught.value.hint


@pytest.mark.parametrize("name", PASSING)
def test_of_another_database(text: Text, follow: Follow, execute: Execute, name: str) -> None:
    database, statement = PASSING[name]
    followed = follow_here(follow)
    text.run(f"USE `{database if database == 'mysql' else getattr(text, database)}`", statement)
    passes(followed, execute)


# What there is, the default database, the statement, and why it stops.
STOPPING: dict[str, tuple[tuple[str, ...], str, str, str]] = {
    "by the default database": ((), "here", "UPDATE users SET n = 1", "it names {here}.users"),
    "by its name": ((), "there", "UPDATE {here}.users SET n = 1", "it names {here}.users"),
    "quoted and spaced": ((), "there", "UPDATE `{here}` . /* x */ `users` SET n = 1", "it names {here}.users"),
    "one of several": (
        (),
        "there",
        "UPDATE users u JOIN {here}.orders o ON o.id = u.id SET u.n = o.n",
        "it names {here}.orders",
    ),
    "read only": ((), "there", "INSERT INTO users SELECT id + 50, name, n FROM {here}.users", "it names {here}.users"),
    "a column that is called as the table is": ((), "here", "UPDATE {there}.orders SET n = 1 AND users = 2", ""),
    "a view of it": (
        ("DROP TABLE `users`", "CREATE VIEW users AS SELECT * FROM {here}.users"),
        "there",
        "UPDATE users SET n = 1",
        "{there}.users is a view",
    ),
    "a view among others": (
        ("CREATE VIEW seen AS SELECT * FROM {here}.orders",),
        "there",
        "UPDATE users u JOIN seen s ON s.id = u.id SET s.n = 1",
        "{there}.seen is a view",
    ),
    "a stored function": (
        (FUNCTION,),
        "there",
        "UPDATE users SET n = f()",
        "{there}.f is a stored routine",
    ),
    "a stored function in quotes and another case": (
        (FUNCTION,),
        "here",
        "UPDATE {there}.users SET n = {there}.`F`()",
        "{there}.f is a stored routine",
    ),
    "a stored function that is called without its accent": (
        (FUNCTION.replace("f()", "`fé`()"),),
        "there",
        "UPDATE users SET n = fe()",
        "{there}.fé is a stored routine",
    ),
    "a trigger": (
        ("CREATE TRIGGER g AFTER UPDATE ON users FOR EACH ROW UPDATE {here}.users SET n = 8 WHERE id = NEW.id",),
        "there",
        "UPDATE users SET n = 1",
        "the trigger {there}.g of {there}.users: {here}.users is named",
    ),
    "a trigger of a trigger": (
        (
            "CREATE TABLE log (id INT)",
            "CREATE TRIGGER g AFTER UPDATE ON orders FOR EACH ROW INSERT INTO log VALUES (1)",
            "CREATE TRIGGER h AFTER INSERT ON log FOR EACH ROW DELETE FROM {here}.users",
        ),
        "there",
        "UPDATE users u, orders o SET u.n = 1, o.n = 2",
        "the trigger {there}.h of {there}.log: {here}.users is named",
    ),
    "a trigger that calls": (
        (
            "CREATE PROCEDURE p() UPDATE {here}.users SET n = 8",
            "CREATE TRIGGER g AFTER UPDATE ON users FOR EACH ROW CALL p()",
        ),
        "there",
        "UPDATE users SET n = 1",
        "{there}.p is a stored routine",
    ),
    "a cascade": (
        ("ALTER TABLE {here}.orders ADD FOREIGN KEY (user_id) REFERENCES {there}.users (id) ON DELETE CASCADE",),
        "there",
        "DELETE FROM users WHERE id = 1",
        "foreign keys cascade from {there}.users to {here}.orders",
    ),
    "a cascade through a table of a third kind": (
        (
            "CREATE TABLE teams (id INT PRIMARY KEY, user_id INT, FOREIGN KEY (user_id) REFERENCES users (id)"
            " ON DELETE SET NULL ON UPDATE CASCADE)",
            "INSERT INTO teams VALUES (1, 1), (2, 2)",
            "ALTER TABLE {here}.orders ADD FOREIGN KEY (user_id) REFERENCES {there}.teams (id) ON UPDATE CASCADE",
        ),
        "there",
        "UPDATE users SET n = 1",
        "foreign keys cascade from {there}.users to {here}.orders",
    ),
    "a table that holds others' rows": (
        (
            "ALTER TABLE {here}.users ENGINE = MyISAM",
            "DROP TABLE `users`",
            "CREATE TABLE users (id INT PRIMARY KEY, name VARCHAR(50), n INT) ENGINE = MERGE UNION = ({here}.users)"
            " INSERT_METHOD = LAST",
        ),
        "there",
        "INSERT INTO users VALUES (9, 'z', 0)",
        "{there}.users is a table of the engine MRG_M",
    ),
}


@pytest.mark.parametrize("name", STOPPING)
def test_where_rows_may_have_changed(text: Text, follow: Follow, name: str) -> None:
    before, database, statement, why = STOPPING[name]
    if "users = 2" in statement:
        text.plainly("ALTER TABLE {there}.orders ADD COLUMN users INT")
    text.plainly(*before)
    followed = follow_here(follow)
    text.run(f"USE `{getattr(text, database)}`", statement)
    stops(followed, why.format(here=text.here, there=text.there))


@pytest.mark.parametrize(
    "before",
    [
        ("CREATE TRIGGER g BEFORE INSERT ON users FOR EACH ROW SET NEW.n = 1",),
        (
            "CREATE TABLE log (id INT PRIMARY KEY AUTO_INCREMENT, what VARCHAR(99))",
            "CREATE TRIGGER g AFTER INSERT ON users FOR EACH ROW INSERT INTO log (what) VALUES ('{here}.users')",
        ),
        ("ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE",),
        ("ALTER TABLE {here}.orders ADD FOREIGN KEY (user_id) REFERENCES {there}.users (id)",),
        ("CREATE VIEW v AS SELECT * FROM {here}.users",),
        ("CREATE TABLE x (id INT PRIMARY KEY) ENGINE = MyISAM",),
    ],
)
def test_triggers_and_keys_that_lead_nowhere(
    text: Text, follow: Follow, execute: Execute, before: tuple[str, ...]
) -> None:
    text.plainly(*before)
    followed = follow_here(follow)
    text.run("INSERT INTO users VALUES (50, 'z', 0)")
    passes(followed, execute)


@pytest.mark.parametrize(
    ("database", "statement", "why"),
    [
        ("here", 'UPDATE "{there}"."users" SET n = 1', None),
        ("there", "UPDATE \"users\" SET name = 'users'", None),
        ("there", 'UPDATE "{here}"."users" SET n = 1', "it names"),
        ("here", 'UPDATE "users" SET n = 1', "it names"),
    ],
)
def test_ansi_quotes(
    text: Text, follow: Follow, execute: Execute, database: str, statement: str, why: str | None
) -> None:
    followed = follow_here(follow)
    text.run("SET SESSION sql_mode = 'ANSI_QUOTES'", f"USE `{getattr(text, database)}`", statement)
    stops(followed, why) if why else passes(followed, execute)


@pytest.mark.parametrize(
    ("mode", "statement", "why"),
    [
        # In one mode the backslash ends the string, in the other it goes on.
        ("", "UPDATE users u JOIN orders o SET u.name = 'x\\', {here}.users, \\''", None),
        ("NO_BACKSLASH_ESCAPES", "UPDATE users SET name = 'x\\'", None),
        (
            "NO_BACKSLASH_ESCAPES",
            "UPDATE users u, {here}.users h SET u.name = 'x\\', h.n = 3 WHERE u.name <> '\\'",
            "it names",
        ),
        ("", 'UPDATE users SET name = "{here}.users"', None),
    ],
)
def test_strings(text: Text, follow: Follow, execute: Execute, mode: str, statement: str, why: str | None) -> None:
    followed = follow_here(follow)
    text.run(f"SET SESSION sql_mode = '{mode}'", statement)
    stops(followed, why) if why else passes(followed, execute)


def test_a_trigger_of_another_mode(text: Text, follow: Follow) -> None:
    """It was made where double quotes are around names; the statement comes from where they are around strings."""
    text.plainly(
        "SET SESSION sql_mode = 'ANSI_QUOTES'",
        'CREATE TRIGGER g AFTER UPDATE ON users FOR EACH ROW UPDATE "{here}"."users" SET n = 8',
        "SET SESSION sql_mode = ''",
    )
    followed = follow_here(follow)
    text.run('UPDATE users SET name = "x"')
    stops(followed, f"{text.here}.users is named")


@pytest.mark.parametrize("charset", ["sjis", "utf8mb4", "gbk"])
def test_character_sets(text: Text, follow: Follow, execute: Execute, charset: str) -> None:
    """Text that is not UTF-8 can't be cut into words here: in some sets a backslash or a quote is part of a letter."""
    followed = follow_here(follow)
    text.run(f"SET NAMES {charset}", "UPDATE users SET name = '\u6d4b'")
    passes(followed, execute) if charset == "utf8mb4" else stops(followed, "can't be determined which tables")


def test_text_that_only_some_servers_execute(text: Text, follow: Follow) -> None:
    followed = follow_here(follow)
    text.run("UPDATE users SET n = 1 /*!50000 + 1 */")
    stops(followed, "can't be determined which tables it names")


def test_a_call_always_stops(text: Text, follow: Follow) -> None:
    text.plainly(FUNCTION)
    followed = follow_here(follow)
    text.run("SELECT f()")
    stops(followed, "")


@pytest.mark.parametrize(
    "removal",
    [
        "DROP TRIGGER g",
        "DROP/**/TRIGGER g",
        "DROP TABLE `users`",
        "RENAME TABLE users TO retired",
        "DROP VIEW v",
        "ALTER TABLE orders ADD COLUMN m INT",
    ],
)
def test_definitions_that_are_gone_when_the_log_is_read(text: Text, follow: Follow, removal: str) -> None:
    text.plainly(
        "CREATE TRIGGER g AFTER UPDATE ON orders FOR EACH ROW UPDATE {here}.users SET n = 8",
        *(["CREATE VIEW v AS SELECT * FROM users"] if "VIEW" in removal else []),
    )
    if "TRIGGER" not in removal:
        text.plainly("DROP TRIGGER g")
    followed = follow_here(follow)
    text.run("UPDATE {there}.users u, {there}.orders o SET o.n = 1, u.n = 2 WHERE o.id IN (SELECT 1 AS v)")
    text.plainly("INSERT INTO users VALUES (77, 'x', 0)", removal)
    stops(followed, f"definitions were changed since: {' '.join(removal.split()[:3])}")


@pytest.mark.parametrize(
    ("removal", "is_of_concern"),
    [
        ("DROP TRIGGER {third}.g", False),
        ("ALTER TABLE {third}.users ADD COLUMN m INT", False),
        ("DROP TABLE {third}.elsewhere", False),
        ("DROP DATABASE {third}", False),
        ("ALTER TABLE {there}.unnamed ADD COLUMN m INT", False),
        ("ALTER TABLE {there}.log ADD COLUMN m INT", True),
        ("DROP TRIGGER {there}.unnamed_too", True),
        ("ALTER TABLE {here}.orders ADD COLUMN m INT", True),
    ],
)
def test_which_removals_are_of_concern(
    text: Text, follow: Follow, execute: Execute, removal: str, is_of_concern: bool
) -> None:
    third = f"{text.there}_c"
    text.plainly(
        f"CREATE DATABASE {third}",
        f"CREATE TABLE {third}.users (id INT)",
        f"CREATE TABLE {third}.elsewhere (id INT)",
        f"CREATE TRIGGER {third}.g AFTER INSERT ON {third}.users FOR EACH ROW DELETE FROM {third}.elsewhere",
        "CREATE TABLE log (id INT)",
        "CREATE TABLE unnamed (id INT)",
        "CREATE TRIGGER unnamed_too AFTER INSERT ON unnamed FOR EACH ROW DELETE FROM log",
        "CREATE TRIGGER g AFTER UPDATE ON users FOR EACH ROW INSERT INTO log VALUES (1)",
    )
    try:
        followed = follow_here(follow)
        text.run("UPDATE users SET n = 2", "SET SESSION binlog_format = 'ROW'", "USE mysql")
        text.run(removal.format(here=text.here, there=text.there, third=third), "USE {here}")
        if is_of_concern or (fires_triggers(text) and "TRIGGER" not in removal):
            stops(followed, f"definitions were changed since: {' '.join(removal.split()[:2])}")
        else:
            passes(followed, execute)
    finally:
        text.run(f"DROP DATABASE IF EXISTS {third}")


def fires_triggers(text: Text) -> bool:
    """Whether there is a session that may have cascades fire triggers."""
    name = "SHOW VARIABLES LIKE 'enable_cascade_triggers'"
    return text.connection.exec_driver_sql(name).first() is not None


def test_a_trigger_of_rows_that_a_cascade_changes(text: Text, follow: Follow, execute: Execute) -> None:
    """MySQL 9.7 fires it, where a session says so; other servers never do."""
    text.plainly(
        "ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE",
        "CREATE TRIGGER g AFTER DELETE ON orders FOR EACH ROW UPDATE {here}.users SET n = 8",
    )
    followed = follow_here(follow)
    text.run("DELETE FROM users WHERE id = 1")
    stops(followed, f"a cascade from {text.there}.users: ") if fires_triggers(text) else passes(followed, execute)


def test_definitions_that_were_changed_before_do_not_stop(text: Text, follow: Follow, execute: Execute) -> None:
    followed = follow_here(follow)
    text.plainly("CREATE TABLE gone (id INT)", "DROP TABLE gone")
    text.run("UPDATE users SET n = 1", "CREATE TEMPORARY TABLE temporary (id INT)", "DROP TEMPORARY TABLE temporary")
    text.plainly("CREATE TABLE fresh (id INT)", "CREATE INDEX i ON fresh (id)", "FLUSH TABLES")
    text.run("UPDATE users SET n = 2")
    passes(followed, execute)


@pytest.mark.parametrize("form", ["ROW", "STATEMENT"])
@pytest.mark.parametrize(
    ("database", "statement"),
    [
        ("there", "TRUNCATE users"),
        ("here", "TRUNCATE TABLE `{there}`.`users`"),
        ("there", "DROP TABLE users"),
        ("here", "RENAME TABLE {there}.users TO {there}.old, {there}.orders TO {there}.users"),
        ("there", "ALTER TABLE users ADD COLUMN m INT"),
        ("there", "CREATE TABLE copied SELECT * FROM users"),
        ("there", "CREATE TABLE IF NOT EXISTS users (id INT)"),
    ],
)
def test_definitions_of_another_database(
    text: Text, follow: Follow, execute: Execute, form: str, database: str, statement: str
) -> None:
    """Nothing of a watched table is emptied by them, nothing stops, and nobody reads definitions again."""
    followed = follow_here(follow)
    text.run(f"SET SESSION binlog_format = '{form}'", f"USE `{getattr(text, database)}`", statement)
    execute("INSERT INTO users VALUES (100, 'later', 0)")
    assert not any(isinstance(event, Truncate | Statement) for event in before_rows(followed))
    assert followed.changes() == []


@pytest.mark.parametrize(
    ("database", "statement"),
    [
        ("here", "CREATE TABLE {there}.users_2 LIKE users"),
        ("there", "ALTER TABLE {here}.users COMMENT 'x'"),
        ("there", "ALTER TABLE `{here}` . `users` COMMENT 'x'"),
        ("there", "ALTER DATABASE {here} CHARACTER SET utf8mb4"),
    ],
)
def test_definitions_that_may_be_of_this_database(
    text: Text, follow: Follow, execute: Execute, database: str, statement: str
) -> None:
    followed = follow_here(follow)
    text.run(f"USE `{getattr(text, database)}`", statement)
    execute("INSERT INTO users VALUES (100, 'later', 0)")
    assert any(isinstance(event, Statement) for event in before_rows(followed))


def test_a_trigger_that_comes_later_is_seen(text: Text, follow: Follow, execute: Execute) -> None:
    followed = follow_here(follow)
    text.run("UPDATE users SET n = 1")
    passes(followed, execute)
    text.plainly("CREATE TRIGGER g AFTER UPDATE ON users FOR EACH ROW UPDATE {here}.users SET n = 8")
    text.run("UPDATE users SET n = 2")
    stops(followed, f"{text.here}.users is named")


def test_the_log_is_read_ahead_once(
    text: Text, follow: Follow, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many statements of many shapes cost one look, and those of one shape one question."""
    from migrator.source.binlog.statements import lookahead, text_statements

    opened: list[object] = []
    asked: list[object] = []
    open_stream, catalog = lookahead.open_stream, text_statements.ServerCatalog
    monkeypatch.setattr(lookahead, "open_stream", lambda *some: (opened.append(some), open_stream(*some))[1])
    monkeypatch.setattr(text_statements, "ServerCatalog", lambda *some: (asked.append(some), catalog(*some))[1])
    followed = follow_here(follow)
    for number in range(30):
        text.run(f"UPDATE users SET n = {number}", f"UPDATE users u{number % 3} SET n = 1")
    passes(followed, execute)
    assert len(asked) == 4
    assert len(opened) <= 4


ACCOUNTS: dict[str, tuple[tuple[str, ...], bool]] = {
    "reads its database": (("SELECT ON `{here}`.*",), False),
    "reads all": (("SELECT ON *.*",), False),
    "reads all and sees triggers": (("SELECT ON *.*", "TRIGGER ON *.*"), True),
}


@pytest.mark.parametrize("name", ACCOUNTS)
@pytest.mark.parametrize("case", ["nothing", "a trigger", "a cascade through a table of a third kind"])
def test_accounts(
    text: Text, source: MySQLSource, execute: Execute, stranger: SourceUrl, mysql_product: str, name: str, case: str
) -> None:
    """What an account may not see, the server doesn't tell it of: then the statement stops."""
    grants, sees = ACCOUNTS[name]
    before, _, statement, why = STOPPING.get(case, ((), "there", "UPDATE users SET n = 1", ""))
    text.plainly(*before)
    more = "BINLOG MONITOR" if mysql_product == "MariaDB" else "REPLICATION CLIENT"
    account = f"'{stranger.user}'@'%'"
    execute(
        f"GRANT {more}, REPLICATION SLAVE ON *.* TO {account}",
        *(f"GRANT {one.format(here=text.here)} TO {account}" for one in grants),
    )
    limited = MySQLSource(stranger)
    followed = Followed(limited, watches_of(source, ["users", "orders"], {}), None)
    try:
        text.run(statement)
        if not sees:
            stops(followed, "only an account with SELECT and TRIGGER")
        elif why:
            stops(followed, why.format(here=text.here, there=text.there))
        else:
            passes(followed, execute)
    finally:
        followed.close()


@pytest.fixture(scope="module")
def server_without_case() -> Iterator[str]:
    """A server that keeps names of tables in lower case."""
    try:
        programs = find_programs()
    except Unavailable as reason:
        pytest.skip(f"needs a server of its own: {reason}")
    server = LocalMysql(programs, ["--lower-case-table-names=1"])
    yield server.url
    server.stop()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("database", "statement", "why"),
    [
        ("there", "UPDATE USERS SET n = 1", ""),
        ("here", "UPDATE THERE.Users SET n = 1", ""),
        ("there", "UPDATE Here.USERS SET n = 1", "it names Here.USERS"),
        ("here", "UPDATE UsErS SET n = 1", "it names here.UsErS"),
        ("there", "UPDATE ORDERS o, users SET o.n = 1", "the trigger there.g of there.orders: here.users is named"),
        ("there", "DELETE FROM TEAMS, USERS USING TEAMS JOIN USERS", "cascade from there.teams to here.orders"),
    ],
)
def test_names_without_case(server_without_case: str, database: str, statement: str, why: str) -> None:
    source = open_source(f"{server_without_case}/here")
    with connected_raw(open_source(f"{server_without_case}/mysql").url) as connection, connection.cursor() as cursor:
        for one in (
            *("DROP DATABASE IF EXISTS here", "DROP DATABASE IF EXISTS there"),
            *("CREATE DATABASE there", "USE there", "CREATE TABLE Teams (id INT PRIMARY KEY)"),
            *TABLES,
            *("CREATE DATABASE here", "USE here", *TABLES),
            "ALTER TABLE HERE.Orders ADD team INT",
            "ALTER TABLE here.orders ADD FOREIGN KEY (team) REFERENCES There.TEAMS (id) ON DELETE CASCADE",
            "CREATE TRIGGER There.g AFTER UPDATE ON There.Orders FOR EACH ROW UPDATE HERE.Users SET n = 8",
        ):
            cursor.execute(one)
        followed = Followed(source, watches_of(source, ["users", "orders"], {}), None)
        try:
            for one in ("SET SESSION binlog_format = 'STATEMENT'", f"USE {database}", statement):
                cursor.execute(one)
            if why:
                stops(followed, why)
            else:
                assert followed.changes() == []
        finally:
            followed.close()
