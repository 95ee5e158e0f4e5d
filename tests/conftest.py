"""Real servers for the tests, started when a selected test needs one; dev/servers/discover.py has the order of search.

With `pytest -n 3` every test process has its own, so that tests that look at a server's log or sessions meet no others.

`mysql_url` and `mongodb_url` are fresh, empty databases. Tests that kill or restart a server get one of their own from
`mysql_server_factory` and `mongod_factory`. The markers `needs_mongodb`, `needs_mysql` and `needs_mariadb` skip a test,
and say why, where another product answers.
"""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from dev.servers import caches, discover, secantus
from dev.servers.model import Server, Unavailable
from dev.servers.probe import connect_mysql
from dev.servers.session import Session, to_stderr
from tests.mongodb_rules.checked import CheckedSecantus
from tests.standin import drop_database, end_transactions, revive

pytest_plugins = ("tests.project",)

SERVERS = pytest.StashKey[Session]()
DESCRIBED = pytest.StashKey[dict[str, None]]()
USES_MYSQL = {"mysql_server", "mysql_product"}
USES_MONGODB = {"mongodb_server", "mongodb_server_is_standin"}
REQUIRE_MONGODB = "MIGRATOR_TEST_REQUIRE_MONGODB"
NO_MONGODB = (
    "these tests are to run on MongoDB, and only {} is here. Put mongod on the PATH, start Docker, or give a server "
    "with MIGRATOR_TEST_MONGODB_URL (docs/development.md)"
)
MARKERS = (
    "needs_mongodb(what): needs something of MongoDB that a stand-in lacks; skipped where a stand-in answers",
    "needs_mysql(what): needs something that MariaDB lacks; skipped where MariaDB answers",
    "needs_mariadb(what): needs something that MySQL lacks; skipped where MySQL answers",
)


def pytest_configure(config: pytest.Config) -> None:
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)

    def say(line: str) -> None:
        # Straight to the terminal: what a fixture prints would be captured.
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"servers: {line}")
        elif os.environ.get("PYTEST_XDIST_WORKER") == "gw0":
            # Of several processes that look for the same in the same places.
            to_stderr(line)

    servers = Session(say, CheckedSecantus)
    config.stash[DESCRIBED] = {}
    config.stash[SERVERS] = servers
    config.add_cleanup(servers.close)
    _announce_secantus()
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        # What a shell starts in the background ignores Ctrl-C, and so would all processes that tests start.
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Ends the run where MongoDB is required and can't be had; before test processes are started."""
    if os.environ.get(REQUIRE_MONGODB) != "1" or "PYTEST_XDIST_WORKER" in os.environ:
        return
    try:
        identity = session.config.stash[SERVERS].mongodb_identity()
    except Unavailable as reason:
        pytest.exit(str(reason), returncode=pytest.ExitCode.USAGE_ERROR)
    if identity.product != "MongoDB":
        pytest.exit(NO_MONGODB.format(identity), returncode=pytest.ExitCode.USAGE_ERROR)


def pytest_report_collectionfinish(config: pytest.Config, items: Sequence[pytest.Item]) -> list[str]:
    """Starts what the selected tests need before the first of them runs, and tells which servers these are."""
    if config.option.collectonly:
        return []
    servers = config.stash[SERVERS]
    used = {name for item in items for name in getattr(item, "fixturenames", ())}
    marked = {marker.name for item in items for marker in item.iter_markers()}
    try:
        if used & USES_MYSQL or marked & {"needs_mysql", "needs_mariadb"}:
            servers.mysql()
        if used & USES_MONGODB or "needs_mongodb" in marked:
            servers.mongodb()
    except Unavailable as reason:
        pytest.exit(str(reason), returncode=pytest.ExitCode.USAGE_ERROR)
    _announce_secantus()
    return ["servers: " + "; ".join(servers.started() or ["none needed"])]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """One of several test processes (pytest -n) tells the one that prints which servers it had."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["servers"] = session.config.stash[SERVERS].started()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """In the process that prints, when another one has ended."""
    found = getattr(node, "workeroutput", {}).get("servers", ())
    node.config.stash[DESCRIBED].update(dict.fromkeys(found))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if described := config.stash[DESCRIBED]:
        terminalreporter.write_line("servers: " + "; ".join(described))


def pytest_runtest_setup(item: pytest.Item) -> None:
    servers = item.config.stash[SERVERS]
    for marker in item.iter_markers():
        if marker.name not in ("needs_mongodb", "needs_mysql", "needs_mariadb"):
            continue
        (what,) = marker.args
        identity = servers.mongodb_identity() if marker.name == "needs_mongodb" else servers.mysql_identity()
        if f"needs_{identity.product.lower()}" != marker.name:
            pytest.skip(f"{identity.product} can't do this: {what}")


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Session:
    """The servers of this test run."""
    return request.config.stash[SERVERS]


@pytest.fixture(scope="session")
def mysql_server(servers: Session) -> str:
    """`mysql://user:password@host:port`, no database."""
    return servers.mysql().url


@pytest.fixture(scope="session")
def mysql_product(servers: Session) -> str:
    """`MySQL` or `MariaDB`."""
    return servers.mysql_identity().product


@pytest.fixture(scope="session")
def mongodb_server(servers: Session) -> str:
    """`mongodb://host:port/?options`, no database."""
    return servers.mongodb().url


@pytest.fixture(scope="session")
def mongodb_server_is_standin(servers: Session) -> bool:
    """Whether something else than MongoDB itself answers."""
    return servers.mongodb_identity().product != "MongoDB"


@pytest.fixture(scope="session")
def mongodb_is_before_5(servers: Session, mongodb_server_is_standin: bool) -> bool:
    """Whether the server keeps the rules of MongoDB 4.4, as the stand-in does with the checker in front of it."""
    return mongodb_server_is_standin or int(servers.mongodb_identity().version.split(".")[0]) < 5


@pytest.fixture
def mysql_url(mysql_server: str) -> Iterator[str]:
    """URL of an empty database, dropped afterwards."""
    name = f"t_{secrets.token_hex(4)}"
    with connect_mysql(mysql_server) as connection:
        connection.cursor().execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
    yield make_url(mysql_server).set(database=name).render_as_string(hide_password=False)
    with connect_mysql(mysql_server) as connection:
        connection.cursor().execute(f"DROP DATABASE IF EXISTS `{name}`")


@pytest.fixture
def mongodb_url(servers: Session, mongodb_server: str) -> Iterator[str]:
    """URL of an empty database, dropped afterwards.

    What tests write waits for a majority, as MongoDB does by itself from 5.0 on: what migrator reads is what a majority
    has.
    """
    name = f"t_{secrets.token_hex(4)}"
    head, _, options = mongodb_server.partition("?")
    yield f"{head.rstrip('/')}/{name}?{'&'.join(each for each in (options, 'w=majority') if each)}"
    end_transactions(servers.mongodb())
    drop_database(mongodb_server, name)


@pytest.fixture(autouse=True)
def _answering(request: pytest.FixtureRequest, servers: Session) -> None:
    """No test begins with a stand-in that another has brought to a standstill."""
    if "mongodb_server" in request.fixturenames and request.getfixturevalue("mongodb_server_is_standin"):
        revive(servers.mongodb())


@pytest.fixture
def mysql_server_factory(servers: Session) -> Iterator[Callable[[], Server]]:
    """Starts a private MySQL or MariaDB server with each call: for tests that kill it and start it again."""
    with ExitStack() as started:
        yield lambda: _stopped_by(started, discover.private_mysql(servers.say))


@pytest.fixture
def mongod_factory(servers: Session) -> Iterator[Callable[[], Server]]:
    """Starts a private MongoDB server, or stand-in, with each call: for tests that kill it and start it again."""
    with ExitStack() as started:
        yield lambda: _stopped_by(started, discover.private_mongodb(servers.say, CheckedSecantus))


@pytest.fixture(scope="session")
def secantusd(servers: Session) -> Path:
    """Path of the stand-in's program, installed when it isn't there; a test that starts it also ends it."""
    program = secantus.install(servers.say)
    _announce_secantus()
    return program


@pytest.fixture
def redis_factory(servers: Session) -> Iterator[Callable[[], Server]]:
    """Starts a private Redis with each call; what it held is gone after `kill()`."""
    with ExitStack() as started:
        yield lambda: _stopped_by(started, caches.redis(servers.say))


@pytest.fixture
def memcached_factory(servers: Session) -> Iterator[Callable[[], Server]]:
    """Starts a private Memcached with each call."""
    with ExitStack() as started:
        yield lambda: _stopped_by(started, caches.memcached(servers.say))


def _stopped_by(started: ExitStack, server: Server) -> Server:
    started.callback(server.stop)
    return server


def _announce_secantus() -> None:
    if program := secantus.installed_program():
        os.environ.setdefault(secantus.PROGRAM_VARIABLE, str(program))
