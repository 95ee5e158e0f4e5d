"""Copies the collections of a run: hands chunks to worker processes until none is left."""

from __future__ import annotations

from collections.abc import Callable

from migrator.copy.chunk_queue import ChunkQueue
from migrator.copy.options import Observer
from migrator.copy.throttle import Throttle
from migrator.errors import Interrupted, MigratorError, Retryable, Stopped
from migrator.model.plan.chunk import Chunk, ChunkResult
from migrator.workers.announcer import Announcer, Ask, OpenWait
from migrator.workers.pool import Outcome, Pool

# How often the lease and the source's load are looked at while workers are busy.
_POLL_SECONDS = 0.5


def copy(
    pool: Pool,
    chunks: ChunkQueue,
    throttle: Throttle,
    check: Callable[[], None],
    observer: Observer,
    announcer: Announcer,
    blocked: Ask,
) -> None:
    """Runs every chunk of the agenda.

    Args:
        check: raises what must end the work: LeaseLost when another process took over.
        blocked: what sessions of the source wait for.

    Raises:
        Interrupted: on Ctrl-C, after the chunks under way were finished.
        Stopped: when a fault lasted longer than the retries; what is finished stays finished.
        LeaseLost: when another process took over.
    """
    try:
        with OpenWait(announcer) as wait:
            coming: Chunk | None = chunks.next()
            while coming is not None or pool.busy:
                check()
                while coming is not None and pool.idle and not throttle.holding:
                    pool.submit(pool.idle[0], coming)
                    coming = chunks.next()
                wait.begin(_awaited(pool, throttle), blocked)
                outcomes = pool.results(_POLL_SECONDS)
                if outcomes:
                    wait.end()
                _take(outcomes, observer.chunk_done, check)
    except KeyboardInterrupt:
        observer.note("finishing the current chunks")
        _drain(pool, observer, check)
        raise Interrupted(
            "stopped by the user",
            hint="Run the same apply again to resume where it stopped.",
        ) from None


def _awaited(pool: Pool, throttle: Throttle) -> str:
    """What the copy can't go on without, in words."""
    if pool.waiting:
        return pool.waiting
    if not pool.busy:
        return f"the source to be less busy: {throttle.reason}"
    first, *more = sorted(pool.tasks, key=lambda chunk: chunk.number)
    return f"chunk {first.number + 1} of {first.collection}" + (f" and {len(more)} more" if more else "")


def _drain(pool: Pool, observer: Observer, check: Callable[[], None]) -> None:
    try:
        while pool.busy:
            _take(pool.results(_POLL_SECONDS), observer.chunk_done, check)
    except KeyboardInterrupt:
        observer.note("left unfinished chunks; the next apply copies them again")


def _take(outcomes: list[Outcome], done: Callable[[ChunkResult], None], check: Callable[[], None]) -> None:
    errors = [(outcome.task, outcome.error) for outcome in outcomes if outcome.error is not None]
    for outcome in outcomes:
        if outcome.error is None:
            done(outcome.value)
    for chunk, error in errors:
        # Whoever took over removes what this process was writing to: that explains every other error.
        check()
        if isinstance(error, Retryable):
            raise Stopped(
                f"gave up on {chunk.collection}, chunk {chunk.number}, after trying again for a while: {error.what}",
                where=error.where,
                hint="Nothing that was finished is lost: run the same apply again when the server answers.",
                said=error.said,
            ) from error
        if isinstance(error, MigratorError):
            error.where = ", ".join(filter(None, (error.where, f"{chunk.collection}, chunk {chunk.number}")))
        raise error
