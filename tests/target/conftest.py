"""Each kind of target, empty, with a way to look at what it holds without migrator's own code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import bson
import pytest
from bson import json_util
from pymongo import MongoClient

from migrator.ports.copy import Target
from migrator.target import open_target


class Seer(Protocol):
    """Looks into a target."""

    def documents(self, name: str) -> list[dict[str, Any]]: ...

    def indexes(self, name: str) -> dict[str, dict[str, Any]]: ...

    def validator(self, name: str) -> Any: ...

    def names(self) -> list[str]:
        """Of all collections but the state's."""
        ...

    def put(self, name: str, documents: list[dict[str, Any]]) -> None:
        """A collection that migrator did not make, in place of what is there."""
        ...


class MongoSeer:
    def __init__(self, url: str) -> None:
        self.database = MongoClient(url).get_default_database()

    def documents(self, name: str) -> list[dict[str, Any]]:
        return list(self.database[name].find().sort("_id"))

    def indexes(self, name: str) -> dict[str, dict[str, Any]]:
        return {each["name"]: dict(each) for each in self.database[name].list_indexes()}

    def validator(self, name: str) -> Any:
        (found,) = self.database.list_collections(filter={"name": name})
        return found["options"].get("validator")

    def names(self) -> list[str]:
        return sorted(n for n in self.database.list_collection_names() if not n.startswith("_migrator_"))

    def put(self, name: str, documents: list[dict[str, Any]]) -> None:
        self.database[name].drop()
        self.database[name].insert_many(documents)


class FilesSeer:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def documents(self, name: str) -> list[dict[str, Any]]:
        return bson.decode_all((self.folder / f"{name}.bson").read_bytes())

    def indexes(self, name: str) -> dict[str, dict[str, Any]]:
        return {each["name"]: each for each in self._metadata(name)["indexes"]}

    def validator(self, name: str) -> Any:
        return self._metadata(name)["options"].get("validator")

    def names(self) -> list[str]:
        if not self.folder.exists():
            return []
        live = {p.name.split(".")[0] for p in self.folder.iterdir() if p.name != ".migrator"}
        staged = {f"{p.name}__migrator_{p.parent.name}" for p in (self.folder / ".migrator").glob("*/*")}
        return sorted(live | staged)

    def put(self, name: str, documents: list[dict[str, Any]]) -> None:
        self.folder.mkdir(exist_ok=True)
        (self.folder / f"{name}.bson").write_bytes(b"".join(map(bson.encode, documents)))
        (self.folder / f"{name}.metadata.json").unlink(missing_ok=True)

    def _metadata(self, name: str) -> Any:
        return json_util.loads((self.folder / f"{name}.metadata.json").read_text())


@dataclass(frozen=True)
class Place:
    kind: str
    url: str
    target: Target
    look: Seer


@pytest.fixture(params=["mongodb", "files"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty target of each kind."""
    look: Seer
    if request.param == "mongodb":
        url = request.getfixturevalue("mongodb_url")
        look = MongoSeer(url)
    else:
        url = f"file:{tmp_path / 'out'}"
        look = FilesSeer(tmp_path / "out")
    with closing(open_target(url)) as target:
        yield Place(request.param, url, target, look)


@pytest.fixture
def target(place: Place) -> Target:
    return place.target


@pytest.fixture
def look(place: Place) -> Seer:
    return place.look
