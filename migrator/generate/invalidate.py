"""Removes documents that a sync has written from the caches of generated repositories."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import bson

from migrator.errors import SettingsError
from migrator.generate.runtime.cached import name_of
from migrator.generate.runtime.codec import OPTIONS
from migrator.generate.runtime.sync.stores import Store, StoreDown, open_store

_LOG = logging.getLogger(__name__)


class Invalidator:
    """Takes documents out of a cache after they were written or deleted.

    To be called after the write was acknowledged and before the position is saved: after a crash the same changes come
    again, and so does this.

    Args:
        store: the cache.
        database: name of the target's database.
    """

    def __init__(self, store: Store, database: str) -> None:
        self._store = store
        self._database = database

    def written(self, collection: str, ids: Iterable[Any]) -> bool:
        """Documents with these `_id`s have changed; false when the cache can't be told, so that they run out later.

        Args:
            collection: of the target.
            ids: as pymongo returns them.
        """
        try:
            for key in ids:
                self._store.delete(name_of(self._database, collection, key))
        except StoreDown as error:
            _LOG.warning("the cache may show old documents until they expire: %s", error)
            return False
        return True

    def written_bson(self, collection: str, documents: Iterable[bytes]) -> bool:
        """The same, with BSON documents `{_id: …}` or whole ones."""
        return self.written(collection, [bson.decode(each, codec_options=OPTIONS)["_id"] for each in documents])

    def close(self) -> None:
        """Gives connections back."""
        self._store.close()


def open_invalidator(url: str, database: str) -> Invalidator:
    """The invalidator for a `redis://` or `memcached://` URL.

    Raises:
        SettingsError: another URL, or the package for it is not installed.
    """
    try:
        return Invalidator(open_store(url), database)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    except ImportError as error:
        raise SettingsError(f"{error.name} is not installed", hint="pip install 'migrator[cache]'") from None
