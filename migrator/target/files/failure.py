"""The file system's and SQLite's errors in migrator's words."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from migrator.errors import TargetError, TargetUnavailable

_HINTS = {
    errno.ENOSPC: "Free space there, then run the same command again: it continues where this one stopped.",
    errno.EDQUOT: "Free space there or raise the quota, then run the same command again.",
    errno.EFBIG: "The file system or a limit (ulimit -f) allows no larger files; write to another place.",
    errno.EROFS: "The file system is mounted read-only; write to another place.",
    errno.EACCES: "Let this user write there, or write to another place.",
    errno.EPERM: "Let this user write there, or write to another place.",
    errno.ENOTDIR: "A part of the path is a file; name a folder, which may be a new one.",
    errno.EEXIST: "A part of the path is a file; name a folder, which may be a new one.",
    errno.ENAMETOOLONG: "Give the collection or the folder a shorter name.",
    errno.EIO: "The disk fails; look into the system's log.",
}
_OTHERWISE = "Nothing can be made there; write to another place."
_FULL = (errno.ENOSPC, errno.EDQUOT)
_LOCKED = "Look for a migrator that was stopped (Ctrl-Z) and let it continue, or end it."
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_SQLITE = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_READONLY: errno.EACCES,
    sqlite3.SQLITE_PERM: errno.EACCES,
    sqlite3.SQLITE_IOERR: errno.EIO,
}


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns OSError and sqlite3.Error inside the block into TargetError or TargetUnavailable; `path` is the place."""
    try:
        yield
    except OSError as error:
        raise _from_errno(error.errno or 0, error.strerror or str(error), Path(error.filename or path)) from error
    except sqlite3.Error as error:
        raise _from_sqlite(error, path) from error


def _from_errno(number: int, text: str, path: Path) -> TargetError:
    if number in _FULL:
        text = f"{text}: {free_bytes(path)} bytes are free"
    return TargetError(text, where=str(path), hint=_HINTS.get(number, _OTHERWISE))


def _from_sqlite(error: sqlite3.Error, path: Path) -> TargetError:
    code = getattr(error, "sqlite_errorcode", 0)
    # The low byte is the kind, what is above it the circumstances (https://www.sqlite.org/rescode.html).
    kind = (code or 0) & 0xFF
    if kind in _BUSY:
        return TargetUnavailable("another process keeps the state locked", where=str(path), hint=_LOCKED)
    if kind in _SQLITE:
        return _from_errno(_SQLITE[kind], str(error), path)
    hint = "It is not migrator's, or damaged: move it away." if isinstance(error, sqlite3.DatabaseError) else ""
    return TargetError(f"the state can't be used: {error}", where=str(path), hint=hint)


def free_bytes(path: Path) -> int:
    """What this user may still write to the file system that `path` is, or would be, on."""
    place = path
    while not place.exists() and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free
