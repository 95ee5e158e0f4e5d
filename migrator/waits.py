"""Waits that are announced: how the source side, the target side and worker processes say what they wait for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Protocol, TypeVar

from tenacity import RetryCallState, Retrying

from migrator.errors import MigratorError

T = TypeVar("T")


class Waits(Protocol):
    """Hears of waits. Several threads may tell of theirs at once."""

    def waiting(self, what: str) -> AbstractContextManager[None]:
        """Nothing goes on for the length of the block, in which `what` is waited for; that completes "waiting for"."""
        ...


class SilentWaits:
    """Implements Waits where nobody listens."""

    def waiting(self, what: str) -> AbstractContextManager[None]:
        return nullcontext()


SILENT_WAITS: Waits = SilentWaits()


def retry_and_tell(retrying: Retrying, waits: Waits, work: Callable[[], T]) -> T:
    """`work`'s result, tried as `retrying` says; from its first fault on, `waits` hears of it."""
    with ExitStack() as stack:

        def before_sleep(state: RetryCallState) -> None:
            outcome = state.outcome
            fault = None if outcome is None else outcome.exception()
            # Of several faults the first one says why.
            if state.attempt_number == 1 and fault is not None:
                stack.enter_context(waits.waiting(_said(fault)))

        return retrying.copy(before_sleep=before_sleep)(work)


def _said(fault: BaseException) -> str:
    if not isinstance(fault, MigratorError):
        return str(fault)
    where = f" ({fault.where})" if fault.where else ""
    return f"another try, after: {fault.what}{where}"


# Told of each index that is built, for as long as it is: which one, of how many, and its name.
Building = Callable[[int, int, str], AbstractContextManager[None]]


def silent_building(number: int, count: int, name: str) -> AbstractContextManager[None]:
    """A Building where nobody listens."""
    return nullcontext()
