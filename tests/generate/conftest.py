"""The sample shop and Chinook: migrated once, their packages generated and importable."""

from __future__ import annotations

import importlib
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import bson
import pytest
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent
from sqlalchemy.engine import make_url

from dev.servers.probe import connect_mysql
from migrator import api
from migrator.generate.describe import PackageOptions
from migrator.generate.render import File, render
from migrator.generate.write import write
from migrator.model.mapping.tree import Collection
from migrator.planning.planner import MappingFiles
from sample_schema.generate import load as load_shop
from tests.chinook.load import MAPPINGS as CHINOOK
from tests.chinook.load import load as load_chinook
from tests.oracle.migrated import migrate

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Migrated:
    """A source, what it becomes, and the package generated for it.

    Attributes:
        source: URL; tests only read it.
        documents: by collection, the bytes that a migration writes.
        folder: where the package lies.
    """

    source: str
    mappings: Path
    collections: tuple[Collection, ...]
    documents: dict[str, list[bytes]]
    files: tuple[File, ...]
    folder: Path
    package: str

    def module(self, name: str) -> ModuleType:
        return importlib.import_module(f"{self.package}.{name}")

    def fill(self, url: str) -> None:
        """Puts the migrated documents into an empty database."""
        with MongoClient[Any](url) as client:
            for name, documents in self.documents.items():
                raw = [RawBSONDocument(each) for each in documents]
                client.get_default_database().get_collection(name).insert_many(raw)


def migrated(source: str, collections: tuple[Collection, ...]) -> dict[str, list[bytes]]:
    """What a fresh migration writes, sorted by `_id`."""
    return {each.name: [*migrate(source, each).documents.values()] for each in collections}


def make(source: str, mappings: Path, folder: Path, package: str) -> Migrated:
    """Generates and imports a package."""
    files = MappingFiles(mappings)
    collections = api.check(source, files)
    made = render(api.package(source, files, PackageOptions(package)))
    write(made, folder / package)
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return Migrated(source, mappings, collections, migrated(source, collections), made, folder, package)


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packages")


@pytest.fixture(scope="session")
def source_factory(mysql_server: str) -> Iterator[Callable[[], str]]:
    """Each call makes an empty MySQL database, kept to the end of the session."""
    made = []

    def create() -> str:
        name = f"t_gen_{secrets.token_hex(4)}"
        with connect_mysql(mysql_server) as connection:
            connection.cursor().execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        made.append(name)
        return make_url(mysql_server).set(database=name).render_as_string(hide_password=False)

    yield create
    with connect_mysql(mysql_server) as connection:
        for name in made:
            connection.cursor().execute(f"DROP DATABASE IF EXISTS `{name}`")


@pytest.fixture(scope="session")
def shop(source_factory: Callable[[], str], packages: Path) -> Migrated:
    source = source_factory()
    load_shop(source, 1, 1)
    return make(source, ROOT / "mappings", packages, "shop_data")


@pytest.fixture(scope="session")
def chinook(source_factory: Callable[[], str], packages: Path) -> Migrated:
    source = source_factory()
    load_chinook(source)
    return make(source, CHINOOK, packages, "chinook_data")


def decoded(document: bytes) -> dict[str, Any]:
    """A document as the package's collections return it."""
    from migrator.generate.runtime.codec import OPTIONS

    return bson.decode(document, codec_options=OPTIONS)


def encoded(document: dict[str, Any]) -> bytes:
    from migrator.generate.runtime.codec import OPTIONS

    return bson.encode(document, codec_options=OPTIONS)


class Commands(CommandListener):
    """Counts what is sent to the server."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def started(self, event: CommandStartedEvent) -> None:
        name = event.command_name
        if name not in ("hello", "endSessions", "isMaster", "ping", "killCursors"):
            self.sent.append((name, str(event.command.get(name, ""))))

    def succeeded(self, event: CommandSucceededEvent) -> None: ...

    def failed(self, event: CommandFailedEvent) -> None: ...

    @contextmanager
    def counted(self) -> Iterator[list[tuple[str, str]]]:
        """(command, collection) of what is sent inside the block."""
        before = len(self.sent)
        found: list[tuple[str, str]] = []
        yield found
        found += self.sent[before:]


@dataclass(frozen=True)
class Live:
    """A package over a database of its own, which tests may write.

    Attributes:
        data: the facade.
        f: the package's module of fields.
        m: the package's module of models.
    """

    data: Any
    f: Any
    m: Any
    errors: Any
    database: Database[dict[str, Any]]
    commands: Commands
    url: str


def _live(made: Migrated, url: str) -> Iterator[Live]:
    made.fill(url)
    commands = Commands()
    client: MongoClient[dict[str, Any]] = MongoClient(url, event_listeners=[commands])
    database = client.get_default_database()
    facade = "".join(word.capitalize() for word in made.package.split("_"))
    data = getattr(made.module("repositories"), facade)(database)
    modules = [made.module(name) for name in ("fields", "models", "_runtime.errors")]
    yield Live(data, *modules, database, commands, url)
    client.close()


@pytest.fixture
def live_shop(shop: Migrated, mongodb_url: str) -> Iterator[Live]:
    yield from _live(shop, mongodb_url)


@pytest.fixture
def live_chinook(chinook: Migrated, mongodb_url: str) -> Iterator[Live]:
    yield from _live(chinook, mongodb_url)
