"""Runs as documents of `_migrator_runs`: JSON text, compressed when it is large."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from migrator.model.plan.run import Run
from migrator.model.serialize import from_json, to_json

RUNS = "_migrator_runs"

# Readable text up to here, packed above: a document holds 16 MB.
_PLAIN_BYTES = 4_000_000


def run_body(run: Run) -> dict[str, Any]:
    """The fields that hold the whole run."""
    text = to_json(run)
    size = len(text.encode())
    return {"text": text} if size <= _PLAIN_BYTES else {"packed": zlib.compress(text.encode())}


def run_of(found: Mapping[str, Any]) -> Run:
    """The run that a document holds."""
    text = found["text"] if "text" in found else zlib.decompress(found["packed"])
    return from_json(Run, text, where=f"{RUNS}, {found['_id']}")
