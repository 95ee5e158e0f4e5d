"""The lines of doctor, with a time limit: each side is asked in a thread, which is abandoned if it does not answer."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from migrator.errors import MigratorError
from migrator.masking import mask_url
from migrator.model.report.check import Check

SECONDS = 20.0
"""How long one question may take: more than the drivers' own limits on reaching a server."""

# What the thread puts into the queue after the last line.
_END = None


def answered(
    side: Literal["source", "target"], ask: Callable[[], Iterable[Check]], seconds: float = SECONDS
) -> Iterator[Check]:
    """The lines of one side as they are known. What can't be asked, or takes more than `seconds`, is a line, too."""
    lines: queue.SimpleQueue[Check | BaseException | None] = queue.SimpleQueue()

    def work() -> None:
        try:
            for check in ask():
                lines.put(check)
            lines.put(_END)
        except MigratorError as error:
            lines.put(Check(side, "blocked", "reachable", mask_url(error.what), mask_url(error.hint)))
            lines.put(_END)
        except BaseException as error:
            lines.put(error)

    # A daemon: a question that is never answered must not hold the process.
    threading.Thread(target=work, name=f"migrator-doctor-{side}", daemon=True).start()
    last = "the connection"
    while True:
        try:
            line = lines.get(timeout=seconds)
        except queue.Empty:
            text = f"the {side} did not answer within {seconds:.0f} seconds what comes after {last}"
            yield Check(side, "blocked", "answers", text, "Check what the server waits for, and run doctor again.")
            return
        if line is _END:
            return
        if isinstance(line, BaseException):
            raise line
        last = f"`{line.name}`"
        yield line
