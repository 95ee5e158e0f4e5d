"""Redis and Memcached with one protocol. Their packages are imported only when a store is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol
from urllib.parse import urlsplit

from .threads import called

SECONDS = 0.25
"""How long a cache may take to answer: whoever waits longer is faster without it."""

# Swaps a mark only while it is still there.
_SWAP = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end"


class StoreDown(Exception):
    """The cache does not answer, or refuses."""


class Store(Protocol):
    """What a cache must be able to do. Every method raises StoreDown when it can't be reached."""

    async def get_many(self, names: Sequence[str]) -> dict[str, bytes]:
        """What stands under these names."""

    async def add_many(self, held: Mapping[str, bytes], seconds: float) -> set[str]:
        """Puts values where nothing stands; returns where that was."""

    async def swap_many(self, held: Mapping[str, tuple[bytes, bytes]], seconds: Mapping[str, float]) -> None:
        """Puts the second value where the first stands."""

    async def set(self, name: str, value: bytes, seconds: float) -> None:
        """Puts a value there, whatever there was."""

    async def delete(self, name: str) -> None:
        """Takes away what is there."""

    async def close(self) -> None:
        """Gives connections back."""


class RedisStore:
    """Redis, Valkey and what else speaks their protocol.

    Args:
        url: `redis://host:6379/0`, `rediss://…`.
    """

    def __init__(self, url: str) -> None:
        redis: Any = import_module("redis.asyncio")
        self._down: Any = import_module("redis.exceptions").RedisError
        # Protocol 3, which newer clients begin with, is a round trip more for each connection and brings nothing here.
        limits = {"socket_timeout": SECONDS, "socket_connect_timeout": SECONDS}
        self._client: Any = redis.Redis.from_url(url, **limits, protocol=2)

    async def get_many(self, names: Sequence[str]) -> dict[str, bytes]:
        try:
            held = await self._client.mget(names)
        except (self._down, OSError) as error:
            raise StoreDown(str(error)) from error
        return {name: value for name, value in zip(names, held, strict=True) if value is not None}

    async def add_many(self, held: Mapping[str, bytes], seconds: float) -> set[str]:
        pipe = self._client.pipeline(transaction=False)
        for name, value in held.items():
            pipe.set(name, value, nx=True, px=int(seconds * 1000))
        return {name for name, done in zip(held, await self._run(pipe), strict=True) if done}

    async def swap_many(self, held: Mapping[str, tuple[bytes, bytes]], seconds: Mapping[str, float]) -> None:
        pipe = self._client.pipeline(transaction=False)
        for name, (old, new) in held.items():
            pipe.eval(_SWAP, 1, name, old, new, int(seconds[name] * 1000))
        await self._run(pipe)

    async def set(self, name: str, value: bytes, seconds: float) -> None:
        await self._run(self._client.pipeline(transaction=False).set(name, value, px=int(seconds * 1000)))

    async def delete(self, name: str) -> None:
        await self._run(self._client.pipeline(transaction=False).delete(name))

    async def close(self) -> None:
        await self._client.aclose()

    async def _run(self, pipe: Any) -> list[Any]:
        try:
            done: list[Any] = await pipe.execute()
        except (self._down, OSError) as error:
            raise StoreDown(str(error)) from error
        return done


class MemcachedStore:
    """Memcached.

    Args:
        url: `memcached://host:11211`.
    """

    def __init__(self, url: str) -> None:
        pymemcache: Any = import_module("pymemcache")
        self._down: Any = import_module("pymemcache.exceptions").MemcacheError
        place = urlsplit(url)
        self._client: Any = pymemcache.PooledClient(
            (place.hostname or "127.0.0.1", place.port or 11211),
            timeout=SECONDS,
            connect_timeout=SECONDS,
            no_delay=True,
        )

    async def get_many(self, names: Sequence[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = await self._call(self._client.get_many, list(names))
        return found

    async def add_many(self, held: Mapping[str, bytes], seconds: float) -> set[str]:
        def add() -> set[str]:
            lasting = _whole(seconds)
            return {name for name, value in held.items() if self._client.add(name, value, lasting, noreply=False)}

        added: set[str] = await self._call(add)
        return added

    async def swap_many(self, held: Mapping[str, tuple[bytes, bytes]], seconds: Mapping[str, float]) -> None:
        def swap() -> None:
            there = self._client.gets_many(list(held))
            for name, (old, new) in held.items():
                value, token = there.get(name, (None, None))
                if value == old:
                    self._client.cas(name, new, token, _whole(seconds[name]), noreply=False)

        await self._call(swap)

    async def set(self, name: str, value: bytes, seconds: float) -> None:
        await self._call(self._client.set, name, value, _whole(seconds), noreply=False)

    async def delete(self, name: str) -> None:
        await self._call(self._client.delete, name, noreply=False)

    async def close(self) -> None:
        await self._call(self._client.close)

    async def _call(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return await called(function, *args, **kwargs)
        except (self._down, OSError) as error:
            raise StoreDown(str(error)) from error


def _whole(seconds: float) -> int:
    """Memcached counts whole seconds, and takes 0 for ever."""
    return max(1, round(seconds))


def open_store(url: str) -> Store:
    """The store of a URL: `redis://`, `rediss://` or `memcached://`.

    Raises:
        ValueError: another URL.
        ImportError: the package for it is not installed.
    """
    scheme = urlsplit(url).scheme
    if scheme in ("redis", "rediss"):
        return RedisStore(url)
    if scheme == "memcached":
        return MemcachedStore(url)
    raise ValueError(f"a cache is redis://… or memcached://…, not {scheme or 'nothing'}://…")
