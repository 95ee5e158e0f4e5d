"""Text keys in a form that is equal where MySQL's collations find them equal, as far as keys need it."""

from __future__ import annotations

import unicodedata

from migrator.model.representation import family_of
from migrator.model.schema import Column


def is_folded(column: Column) -> bool:
    """Whether equal values of the column may differ in their bytes."""
    return family_of(column) == "text" and not (column.collation or "").endswith("_bin")


def folded(value: bytes) -> bytes:
    """Without case, accents and spaces at the end.

    Collations that equate more than that (contractions, other scripts' letters) are not followed.
    """
    text = unicodedata.normalize("NFKD", value.decode(errors="surrogateescape")).casefold()
    bare = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return bare.rstrip(" ").encode(errors="surrogateescape")
