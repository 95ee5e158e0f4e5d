"""Names that migrator gives to what it puts beside live collections."""

from __future__ import annotations

import re

_STAGED = re.compile(r".+__migrator_(?P<run>[0-9a-zA-Z]+)")


def staged_name(collection: str, run_id: str) -> str:
    """Where a run loads a collection."""
    return f"{collection}__migrator_{run_id}"


def staged_by(name: str) -> str | None:
    """Id of the run that loaded `name`, None when it is no such name."""
    found = _STAGED.fullmatch(name)
    return found["run"] if found else None


def sample_name(collection: str) -> str:
    """Where a trial goes."""
    return f"{collection}__sample"
