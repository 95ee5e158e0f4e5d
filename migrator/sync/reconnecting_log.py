"""The change log with reconnects: a lost connection is opened again at a saved position (edge case 35)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from migrator.errors import LogLost, SourceUnavailable
from migrator.model.change.events import TableName, Watch
from migrator.ports.sync import SyncableSource
from migrator.ports.sync_state import Positions
from migrator.sync.checkpoint import Checkpoint
from migrator.sync.log_queue import LogQueue, QueuedEvent
from migrator.workers.announcer import Announcer, OpenWait
from migrator.workers.retry import RetryingCall


class ReconnectingLog:
    """Events from the earliest saved position on."""

    def __init__(
        self,
        source: SyncableSource,
        positions: Positions,
        checkpoint: Checkpoint,
        watches: Callable[[], Mapping[TableName, Watch]],
        read_again: Callable[[], None],
        patience: RetryingCall,
        announcer: Announcer,
    ) -> None:
        """
        Args:
            watches: the columns that are wanted where reading begins.
            read_again: called when what was taken since the saved positions is going to come again.
        """
        self._source = source
        self._positions = positions
        self._checkpoint = checkpoint
        self._watches = watches
        self._read_again = read_again
        self._patience = patience
        # The server says at least every second that there is nothing to say.
        self._silence = OpenWait(announcer)
        self._queue: LogQueue | None = None

    @property
    def is_open(self) -> bool:
        """Events come in the order of the log; not so after `drop`, until the next one is taken."""
        return self._queue is not None

    def take(self, seconds: float) -> QueuedEvent | None:
        """The next event, None when none came in time.

        Raises:
            SyncBlocked: when the log can't be followed any further.
            SourceUnavailable: when transient errors outlasted the retries.
        """
        taken = self._take(seconds)
        if taken is None:
            self._silence.begin("the source's log: it gives no sign of life")
        else:
            self._silence.end()
        return taken

    def watch(self, watches: Mapping[TableName, Watch]) -> None:
        """Answers a Statement: the tables as they are now."""
        if self._queue is not None:
            self._queue.watch(watches)

    def resume(self) -> None:
        """Answers a Statement that changed nothing."""
        if self._queue is not None:
            self._queue.resume()

    def drop(self) -> None:
        """Everything since the saved positions is read again."""
        self._close_queue()
        self._read_again()

    def close(self) -> None:
        self._silence.end()
        self._close_queue()

    def _take(self, seconds: float) -> QueuedEvent | None:
        if self._queue is not None:
            with suppress(SourceUnavailable):
                return self._take_once(seconds)
        return self._patience(lambda: self._take_once(seconds))

    def _take_once(self, seconds: float) -> QueuedEvent | None:
        try:
            if self._queue is None:
                self._queue = LogQueue(self._source, self._checkpoint.earliest, self._watches())
            return self._queue.take(seconds)
        except SourceUnavailable:
            self.drop()
            raise
        except LogLost as reason:
            self._positions.mark_lost(self._checkpoint.positions, reason.what)
            raise

    def _close_queue(self) -> None:
        if self._queue is not None:
            self._queue.close()
            self._queue = None
