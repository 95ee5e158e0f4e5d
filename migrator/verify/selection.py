"""Which documents are compared: all, some at random, or those of given keys."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence

from migrator.errors import SettingsError
from migrator.model.mapping.tree import Collection
from migrator.model.plan.chunk import Key, KeyRange
from migrator.model.report.verify import Published, Selection
from migrator.model.slices import slices
from migrator.verify.comparison import KEYS_AT_ONCE
from migrator.verify.tasks import CompareKeys, CompareRange, Task

_SAMPLED_RANGES = 40


def chosen(published: Sequence[Published], wanted: Selection) -> tuple[Published, ...]:
    """The collections to look at.

    Raises:
        SettingsError: when one that was asked for is not there, or keys are not those of one collection.
    """
    names = {each.scope.collection for each in published}
    for name in wanted.collections:
        if name not in names:
            raise SettingsError(
                f"no collection {name} was published by migrator",
                where=", ".join(sorted(names)) or "nothing is published",
                hint="`migrator status` lists them; `migrator apply` makes them.",
            )
    found = tuple(each for each in published if not wanted.collections or each.scope.collection in wanted.collections)
    if not found:
        raise SettingsError("there is nothing to verify: no collection was published", hint="Run `migrator apply`.")
    if wanted.keys and len(found) != 1:
        raise SettingsError("--keys are keys of one collection", hint="Name it with --collection.")
    return found


def parse_key(text: str, collection: Collection) -> Key:
    """A root key as a person writes it: `7`, `7,red`, `["7", "a,b"]`, `0x00ff` for bytes.

    Raises:
        SettingsError: when it has not as many parts as the key has columns.
    """
    columns = collection.root.key
    parts: list[object] = [text]
    if len(columns) > 1:
        if text.startswith("["):
            try:
                parts = json.loads(text)
            except ValueError:
                parts = []
        else:
            parts = [part.strip() for part in text.split(",")]
    if len(parts) != len(columns):
        names = ", ".join(column.name for column in columns) or "none"
        raise SettingsError(
            f"{text} is not a key of {collection.name}: its columns are {names}",
            hint='Write the parts with commas, 7,red, or as a JSON list, ["7", "a,b"].',
        )
    return tuple(_part(str(part)) for part in parts)


def _part(text: str) -> bytes:
    if text.startswith("0x"):
        try:
            return bytes.fromhex(text[2:])
        except ValueError:
            pass
    return text.encode()


def key_tasks(collection: Collection, keys: Sequence[Key]) -> Iterator[Task]:
    """Looks at these keys only."""
    for some in slices(keys, KEYS_AT_ONCE):
        yield CompareKeys(collection.name, tuple(some))


def sampled_tasks(collection: Collection, ranges: Iterable[KeyRange], count: int) -> Iterator[Task]:
    """About `count` documents: the first ones of some ranges, chosen at random."""
    kept: list[KeyRange] = []
    most = min(_SAMPLED_RANGES, count)
    for seen, each in enumerate(ranges):
        if len(kept) < most:
            kept.append(each)
        elif (place := random.randrange(seen + 1)) < most:
            kept[place] = each
    left = count
    for number, each in enumerate(kept):
        share = -(-left // (len(kept) - number))
        left -= share
        yield CompareRange(collection.name, number, each, share)
