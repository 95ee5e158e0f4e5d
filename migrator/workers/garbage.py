"""Python's search for reference cycles, set for work that makes millions of objects and hardly any cycle."""

from __future__ import annotations

import gc

# Objects more than were freed, before the youngest are looked at. Rows are tuples of bytes, which no cycle can hold; at
# Python's 700, looking at them again and again took an eighth of a copy's time.
_YOUNGEST = 100_000


def spare_rows() -> None:
    """Looks for cycles rarely from now on, and never at what is there already: modules, classes, compiled statements.

    For the beginning of a process of migrator's own, after its imports (https://docs.python.org/3/library/gc.html).
    """
    gc.freeze()
    gc.set_threshold(_YOUNGEST, 10, 10)
