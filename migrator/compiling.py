"""Runs code that was written at run time, so that a traceback through it shows its lines."""

from __future__ import annotations

import linecache
import zlib
from collections.abc import Mapping
from typing import Any


def run(source: str, name: str, names: Mapping[str, Any]) -> dict[str, Any]:
    """The names that `source` defines, and those that it was given.

    Args:
        name: what it does, as tracebacks show it.
        names: what the code may use.
    """
    # Other code of the same name must not take its place: tracebacks look lines up by the file's name only.
    file = f"<{name} {zlib.crc32(source.encode()):08x}>"
    # Without a time of change, `linecache.checkcache` leaves the entry alone.
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    space = dict(names)
    exec(compile(source, file, "exec"), space)
    return space
