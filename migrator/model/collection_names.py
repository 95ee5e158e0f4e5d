"""Names of collections without mapped documents: state, what is loaded next to live ones, the repositories' notes."""

from __future__ import annotations

import re

STATE_PREFIX = "_migrator_"
# What generated repositories take new ids from: {_id: name, last: the highest id given out}; see `generate.runtime`.
SEQUENCES = "sequences"
# What generated repositories note copies in that are still to be brought up to date; see `generate.runtime`.
OUTBOX = "outbox"

_SAMPLE = "__sample"
_STAGED = re.compile(r"(?P<collection>.+)__migrator_(?P<run>[0-9a-zA-Z]+)(_(?P<holding>[0-9]+))?")


def staged_name(collection: str, run_id: str, holding: int) -> str:
    """Where a run loads a collection.

    Args:
        holding: number of the holding of the lease under which it is loaded; 0 for none. A process that takes over a
            run moves what was loaded to a name of its own, so that what its predecessor still sends reaches a name
            that nobody reads (premise C).
    """
    return f"{collection}__migrator_{run_id}{f'_{holding}' if holding else ''}"


def staged_by(name: str) -> str | None:
    """Id of the run that loaded `name`, None when it is no such name."""
    found = _STAGED.fullmatch(name)
    return found["run"] if found else None


def staged_holding(name: str, collection: str, run_id: str) -> int | None:
    """The number in a name of `staged_name`, None when it is no name of this run and collection."""
    found = _STAGED.fullmatch(name)
    if found is None or found["collection"] != collection or found["run"] != run_id:
        return None
    return int(found["holding"] or 0)


def sample_name(collection: str) -> str:
    """Where a trial goes."""
    return f"{collection}{_SAMPLE}"


def reserved_mistake(name: str) -> str:
    """Why a mapping can't name its collection so, "" when it can: its documents would lie among migrator's own."""
    if name.startswith(STATE_PREFIX):
        return f"names that start with {STATE_PREFIX} belong to migrator's state"
    if staged_by(name) is not None or name.endswith(_SAMPLE):
        return "migrator loads copies and trials of a collection under such names"
    if name in (SEQUENCES, OUTBOX):
        return f"generated repositories keep notes of their own in {name}"
    return ""
