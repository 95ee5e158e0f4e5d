"""`<collection>.metadata.json` as mongodump writes it and mongorestore reads it: indexes, options, UUID."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bson import json_util

from migrator.model.mapping.tree import IndexSpec
from migrator.target import indexes

_ID_INDEX: dict[str, Any] = {"v": 2, "key": {"_id": 1}, "name": "_id_"}


@dataclass(frozen=True, slots=True)
class Metadata:
    """Attributes:
    uuid: of the collection, 32 hex digits; changes whenever the documents are rebuilt.
    indexes: as createIndexes takes them, `_id_` among them.
    options: as the create command takes them.
    """

    name: str
    uuid: str
    indexes: tuple[dict[str, Any], ...]
    options: dict[str, Any]

    def without_indexes(self, names: Iterable[str]) -> Metadata:
        gone = set(names)
        return replace(self, indexes=tuple(each for each in self.indexes if each["name"] not in gone))

    def with_indexes(self, specs: Sequence[IndexSpec]) -> Metadata:
        """With `specs` added, or put in place of those of the same name."""
        kept = self.without_indexes(spec.name for spec in specs).indexes
        return replace(self, indexes=(*kept, *({"v": 2, **indexes.document(spec)} for spec in specs)))

    def with_validator(self, validator: str) -> Metadata:
        """`moderate` for the reasons given at
        migrator.target.mongo.copy_state.collection_store.MongoCollectionStore.set_validator."""
        names = ("validator", "validationLevel", "validationAction")
        options = {key: value for key, value in self.options.items() if key not in names}
        if validator:
            rule = {"$jsonSchema": json.loads(validator)}
            options |= {"validator": rule, "validationLevel": "moderate", "validationAction": "error"}
        return replace(self, options=options)

    def dump(self) -> bytes:
        document = {
            "options": self.options,
            "indexes": list(self.indexes),
            "uuid": self.uuid,
            "collectionName": self.name,
            "type": "collection",
        }
        return json_util.dumps(document, json_options=json_util.CANONICAL_JSON_OPTIONS).encode()


def fresh(name: str) -> Metadata:
    """Of a new collection."""
    return Metadata(name, uuid.uuid4().hex, (_ID_INDEX,), {})


def parse(name: str, text: bytes) -> Metadata | None:
    """What a file says, None when it is no such file."""
    try:
        found = json_util.loads(text)
        names = all(isinstance(index["name"], str) for index in found["indexes"])
    except (ValueError, TypeError, KeyError):
        return None
    if not names or not isinstance(found.get("uuid"), str) or not isinstance(found.get("options"), dict):
        return None
    return Metadata(name, found["uuid"], tuple(found["indexes"]), found["options"])
