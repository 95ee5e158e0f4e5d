"""Entries of the outbox that can't be followed up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Failing:
    """An entry that could not be followed up when it was last tried.

    Attributes:
        collection, key: the document that was written.
        error: why, in one sentence without values.
        tries: how often that was so.
    """

    collection: str
    key: Any
    error: str
    tries: int


class UnknownCollection(Exception):
    """An entry about a collection that the package no longer has."""
