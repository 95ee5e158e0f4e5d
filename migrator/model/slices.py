"""Long sequences, a part at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def slices(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Consecutive parts of `items`, each of `size` items but the last."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
