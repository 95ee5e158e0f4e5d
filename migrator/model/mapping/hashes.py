"""Short names for mappings: equal ones make the same documents, or say the same."""

from __future__ import annotations

import hashlib
from json import dumps, loads
from typing import Any

from pydantic import BaseModel

from migrator.model.mapping.tree import Node
from migrator.model.serialize import to_json


def mapping_hash(root: Node) -> str:
    """Over everything that changes documents.

    How a field's type came about (`Field.stated_type`) is left out: what it is stands in `Field.value`. So are
    attributes that earlier versions did not know, where they say nothing: the documents are the same.
    """
    whole = loads(to_json(root), object_hook=_as_before)
    return _short(dumps(whole, ensure_ascii=False, separators=(",", ":")))


def spec_hash(*parts: object) -> str:
    """Over what is written: keys that are left out don't count, so that a new key of the format changes nothing."""
    texts = [
        part.model_dump_json(by_alias=True, exclude_unset=True) if isinstance(part, BaseModel) else to_json(part)
        for part in parts
    ]
    return _short("\n".join(texts))


# Attributes that came later, with the value that says nothing.
_LATER: dict[str, object] = {"map_key_from_link": False, "duplicates": "reject", "aggregate": None}


def _as_before(found: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in found.items()
        if name != "stated_type" and not (name in _LATER and value == _LATER[name])
    }


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
