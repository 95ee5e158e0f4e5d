"""What migrator records about the collections it publishes, and the unfinished publishing that a crash leaves."""

from __future__ import annotations

from dataclasses import dataclass

from migrator.model.mapping.tree import IndexSpec


@dataclass(frozen=True, slots=True)
class Record:
    """A collection that migrator made live.

    Attributes:
        run: which published it.
        identity: what tells this very collection from another of the same name; "" before it is live.
        indexes: those that migrator built on it.
        validator: JSON text of the $jsonSchema, "" for none.
        problems: what `publish` could not build, one sentence each.
    """

    collection: str
    run: str
    mapping_hash: str
    schema_fingerprint: str
    indexes: tuple[IndexSpec, ...]
    validator: str
    problems: tuple[str, ...] = ()
    identity: str = ""


@dataclass(frozen=True, slots=True)
class Intent:
    """Written before the rename, so that a crash right after it can be told from one right before.

    Attributes:
        record: what will be recorded.
        before: identity of what is live under the name before the rename, "" for nothing.
        holding: number of the lease's holding that is about to rename.
    """

    record: Record
    before: str
    holding: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """What the state holds for a name."""

    record: Record | None = None
    intent: Intent | None = None
