"""A document's own language in a text index: the field `language`, at any level that the index's fields are in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from migrator.indexing.paths import Document

LANGUAGE_FIELD = "language"

# Those of text indexes of version 3, by name and by code (MongoDB manual, Text Search Languages).
_KNOWN = frozenset(
    (
        *("none", "danish", "dutch", "english", "finnish", "french", "german", "hungarian", "italian", "norwegian"),
        *("portuguese", "romanian", "russian", "spanish", "swedish", "turkish"),
        *("da", "nl", "en", "fi", "fr", "de", "hu", "it", "nb", "pt", "ro", "ru", "es", "sv", "tr"),
        # Of the Enterprise edition with its language packs.
        *("arabic", "ara", "dari", "prs", "iranian persian", "pes", "urdu", "urd"),
        *("simplified chinese", "hans", "zhs", "traditional chinese", "hant", "zht"),
    )
)


def is_language(value: str) -> bool:
    """Whether MongoDB knows the language; case doesn't matter."""
    return value.lower() in _KNOWN


def language_problem(document: Document, fields: Sequence[str]) -> tuple[str, str] | None:
    """The path of the first `language` that a text index over `fields` refuses, and why; None without one."""
    for path, value in _languages(document, fields, ""):
        if not isinstance(value, str):
            return path, "is no text, but a text index takes it for the document's language"
        if not is_language(value):
            return path, "is no language that MongoDB knows, but a text index takes it for one"
    return None


def _languages(document: Document, fields: Sequence[str], above: str) -> Iterator[tuple[str, Any]]:
    """The `language` of every sub-document that the index looks into."""
    if LANGUAGE_FIELD in document:
        yield f"{above}{LANGUAGE_FIELD}", document[LANGUAGE_FIELD]
    for name, value in document.items():
        path = f"{above}{name}"
        if isinstance(value, Mapping) and any(field.startswith(f"{path}.") for field in fields):
            yield from _languages(value, fields, f"{path}.")
        elif isinstance(value, list) and any(field == path or field.startswith(f"{path}.") for field in fields):
            for element in value:
                # An array in an array is not looked into.
                if isinstance(element, Mapping) and path not in fields:
                    yield from _languages(element, fields, f"{path}.")
