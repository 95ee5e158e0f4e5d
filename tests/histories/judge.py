"""Whether the target holds what the rows say: every document, no other, and the same ones rejected."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pymongo
from bson.raw_bson import RawBSONDocument

from tests.histories.history import History
from tests.oracle.compare import by_id, decode, differences
from tests.oracle.documents import Oracle
from tests.sync.running import rejected

LINES = 12
STATEMENTS = 25


def judge(
    history: History, target: str, runs: Sequence[str], where: str = "", collections: Sequence[str] | None = None
) -> int:
    """How many documents were compared.

    Args:
        runs: the applies that made the collections.
        where: what was done before, for the message.
        collections: by default all that a sync keeps in step.

    Raises:
        AssertionError: with the first differences, the seed, and the statements that may have led there.
    """
    verdict = compare(history.oracle, history.collections if collections is None else collections, target, runs)
    if verdict.lines:
        roots = [history.oracle.collections[name].root for name in verdict.differing]
        tables = {node.table.name.split(".")[-1] for root in roots for node in root.walk()}
        raise AssertionError(
            "\n".join(
                [
                    f"documents differ from their rows {where}",
                    f"python -m tests.histories.replay {history.spec}",
                    *verdict.lines[: 3 * LINES],
                    "the last statements on these tables:",
                    *_statements(history, tables, _spelled(verdict.keys)),
                ]
            )
        )
    return verdict.compared


@dataclass
class Verdict:
    """What a comparison found.

    Attributes:
        keys: of documents that differ, as BSON of `{_id: ...}`.
    """

    lines: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    keys: set[bytes] = field(default_factory=set)
    compared: int = 0


def compare(oracle: Oracle, collections: Sequence[str], target: str, runs: Sequence[str]) -> Verdict:
    """Every document and every rejected one, against the oracle's."""
    verdict = Verdict()
    refused = rejected(target, runs)
    for name in collections:
        expected = oracle.all_grouped(name)
        actual = documents(target, name)
        lines = differences(expected.documents, actual, LINES)
        keys = {", ".join(key) for key in expected.rejected}
        reasons = refused.get(name, {})
        lines += [f"rejected {key}: {reasons[key]}" for key in sorted(reasons.keys() - keys)]
        lines += [f"not rejected {key}" for key in sorted(keys - reasons.keys())]
        verdict.compared += len(expected.documents)
        if lines:
            verdict.lines += [f"{name}: {line}" for line in lines]
            verdict.differing.append(name)
            both = expected.documents.keys() | actual.keys()
            verdict.keys |= {key for key in both if expected.documents.get(key) != actual.get(key)}
    return verdict


def documents(target: str, name: str) -> dict[bytes, bytes]:
    """A collection's documents, by the BSON of `{_id: ...}`."""
    with pymongo.MongoClient[RawBSONDocument](target, document_class=RawBSONDocument) as client:
        return by_id(document.raw for document in client.get_default_database()[name].find())


def _spelled(keys: Iterable[bytes]) -> set[str]:
    """The keys' values as they stand in statements."""
    found: set[str] = set()
    for key in keys:
        identity = decode(key)["_id"]
        for part in identity.values() if isinstance(identity, dict) else [identity]:
            found |= {str(part), str(part).encode().hex().upper()}
            if isinstance(part, bytes):
                found.add(part.hex().upper())
    return found


def _statements(history: History, tables: set[str], words: set[str]) -> list[str]:
    """The last that changed something there, those that name a document's key marked."""
    lines = []
    for done in history.log.done:
        control = done.sql.split()[0] in ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET", "START")
        if control or (any(f"`{table}`" in done.sql for table in tables) and not done.error):
            named = not control and any(word in done.sql for word in words)
            lines.append(f"{'*' if named else ' '} {done}")
    return lines[-STATEMENTS:]


def write_statements(history: History, file: Path) -> None:
    """All that was executed, as SQL."""
    file.write_text("\n".join(map(str, history.log.done)) + "\n", encoding="utf-8")
