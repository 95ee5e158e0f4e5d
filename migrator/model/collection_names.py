"""Names of collections without mapped documents: state, what is loaded beside live ones, the repositories' notes."""

from __future__ import annotations

import re

STATE_PREFIX = "_migrator_"
# What generated repositories take new ids from: {_id: name, last: the highest id given out}; see `generate.runtime`.
SEQUENCES = "sequences"
# What generated repositories note copies in that are still to be brought up to date; see `generate.runtime`.
OUTBOX = "outbox"

_SAMPLE = "__sample"
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
    return f"{collection}{_SAMPLE}"


def reserved_mistake(name: str) -> str:
    """Why a mapping can't name its collection so, "" when it can: its documents would lie among migrator's own."""
    if name.startswith(STATE_PREFIX):
        return f"names that start with {STATE_PREFIX} belong to migrator's state"
    if staged_by(name) is not None or name.endswith(_SAMPLE):
        return "migrator loads copies and trials beside a collection under such names"
    if name in (SEQUENCES, OUTBOX):
        return f"generated repositories keep notes of their own in {name}"
    return ""
