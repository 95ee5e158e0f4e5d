"""The document side: a MongoDB database, or a folder of BSON files. `open_target` is the way in.

files: a folder of BSON files as a target.
found_collection: what is live under a name, and its description for plans.
indexes: IndexSpec as MongoDB's commands and mongodump's metadata spell it, and sentences about indexes not built.
lease: the lease.
lease_holder: who has a lease and whether they live, without waiting if the target's clock or this machine shows it.
mongo: a MongoDB database as a target.
store_protocols: what the shared parts (lease, publishing) need of a kind of target.
process: which process this is, and whether another one of the same machine still lives.
publish: Publishing, the same for every kind of target.
published_mappings: what is live and by which mapping it was made, the same for every kind of target.
record: what migrator records about the collections it publishes, and the unfinished publishing that a crash leaves.
url: the target's address.
"""

from __future__ import annotations

from migrator.errors import TargetError
from migrator.target.files.target import FilesTarget
from migrator.target.mongo.target import MongoTarget
from migrator.target.url import MongoUrl, parse_target_url
from migrator.waits import SILENT_WAITS, Waits

__all__ = ["FilesTarget", "MongoTarget", "open_sync_target", "open_target"]


def open_target(url: str, retry_seconds: float | None = None, waits: Waits = SILENT_WAITS) -> MongoTarget | FilesTarget:
    """The target that a URL names. It connects when it is first used.

    Args:
        url: `mongodb://user:password@host:27017/database`, `mongodb+srv://...`, `file:PATH` or `file:///absolute/path`.
        retry_seconds: how long a call waits out transient errors of a server; None for 40.
        waits: hears of a server that is waited for.

    Raises:
        SettingsError: when the URL can't be used.
    """
    parsed = parse_target_url(url)
    if isinstance(parsed, MongoUrl):
        return MongoTarget(parsed, retry_seconds=retry_seconds, waits=waits)
    return FilesTarget(parsed)


def open_sync_target(url: str, retry_seconds: float | None = None) -> MongoTarget:
    """As `open_target`, for what only a target that can be kept in step can do.

    Raises:
        TargetError: for a folder of files.
    """
    target = open_target(url, retry_seconds)
    if isinstance(target, FilesTarget):
        target.close()
        raise TargetError(
            "a folder of files can't be kept in step",
            where=url,
            hint="Name a MongoDB database as the target, or copy the folder again when you need newer documents.",
        )
    return target
