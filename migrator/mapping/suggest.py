"""What to do about a name that is not known: the nearest known word, or the GRANT that would show it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from migrator.model.schema.tables import Table


def nearest(word: str, known: Iterable[str], cutoff: float = 0.7) -> str | None:
    """The known word that `word` was probably meant to be, None when nothing is near. Case alone is always near.

    `cutoff` is how near it must be, from 0 to 1 (difflib's ratio).
    """
    words = list(known)
    by_case = {other.lower(): other for other in words}
    if word.lower() in by_case:
        return by_case[word.lower()]
    close = difflib.get_close_matches(word.lower(), list(by_case), n=1, cutoff=cutoff)
    return by_case[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str], *, what: str = "") -> str:
    """A suggestion for a word that is not known: the nearest one, or else the known ones when they are few."""
    words = list(known)
    close = nearest(word, words)
    if close is not None:
        return f"did you mean `{close}`?"
    if what and 0 < len(words) <= 20:
        return f"{what}: {', '.join(words)}"
    return ""


def did_you_mean_path(dotted: str, known: Iterable[str]) -> str:
    """The same for dotted paths: also the one that ends in what was written (`total` for `amounts.total`)."""
    paths = list(known)
    ending = [path for path in paths if path.endswith(f".{dotted}")]
    return did_you_mean(dotted, paths) or (f"did you mean `{ending[0]}`?" if ending else "")


def grant_reading(table: Table, columns: Sequence[str] = ()) -> str:
    """The statement that lets the account read columns of a table, by default all of it."""
    names = ", ".join(map(_quoted, columns))
    what = f"SELECT ({names})" if names else "SELECT"
    return f"GRANT {what} ON {_quoted(table.schema)}.{_quoted(table.name)} TO {table.denied_to};"


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
