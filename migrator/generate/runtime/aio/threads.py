"""Clients that only know how to block."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def called(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Calls it in a thread, so that the event loop is not blocked."""
    return await asyncio.to_thread(function, *args, **kwargs)
