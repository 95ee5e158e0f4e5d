"""The document side: a MongoDB database, or a folder of BSON files. `open_target` is the way in."""

from __future__ import annotations

from migrator.target.files.target import FilesTarget
from migrator.target.mongo.target import MongoTarget
from migrator.target.url import MongoUrl, parse_target_url

__all__ = ["FilesTarget", "MongoTarget", "open_target"]


def open_target(url: str, retry_seconds: float | None = None) -> MongoTarget | FilesTarget:
    """The target that a URL names. It connects when it is first used.

    Args:
        url: `mongodb://user:password@host:27017/database`, `mongodb+srv://...`, `file:PATH` or `file:///absolute/path`.
        retry_seconds: how long a call waits out passing faults of a server; None for 40.

    Raises:
        SettingsError: when the URL can't be used.
    """
    parsed = parse_target_url(url)
    return MongoTarget(parsed, retry_seconds=retry_seconds) if isinstance(parsed, MongoUrl) else FilesTarget(parsed)
