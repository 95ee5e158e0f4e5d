"""Standard error of a command: text for people, or one JSON object per line for programs that collect logs.

What libraries log or warn about is written here too, by one handler of the root logger. Worker processes pass theirs
to their parent (workers.pool).
"""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol, TextIO

from migrator.masking import mask_url
from migrator.workers.log_capture import captured

FORMATS = ("text", "json")
_OPTION = "--log-format"


class Output(Protocol):
    """Where a command's events go."""

    @property
    def is_json(self) -> bool: ...

    def event(self, level: str, event: str, **facts: object) -> None:
        """One event. As text it is `facts["text"]`, which every event has that is not for programs alone."""
        ...


class TextOutput:
    """Lines for people."""

    is_json = False

    def event(self, level: str, event: str, **facts: object) -> None:
        if text := facts.get("text"):
            print(text, file=sys.stderr, flush=True)


class JsonOutput(io.TextIOBase):
    """JSON lines. It takes the place of `sys.stderr`, so that text that anybody writes there becomes events, too."""

    is_json = True

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._rest = ""
        self._lock = threading.RLock()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def event(self, level: str, event: str, **facts: object) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": at, "level": level, "event": event, **facts}, ensure_ascii=False, default=str)
        with self._lock:
            # Bytes of another encoding in a name would end the command.
            self._out.write(line.encode(errors="backslashreplace").decode() + "\n")
            self._out.flush()

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        """No: nobody wants bars and colours in a log."""
        return False

    def write(self, text: str) -> int:
        with self._lock:
            *lines, self._rest = (self._rest + text).split("\n")
            for line in lines:
                self._note(line)
        return len(text)

    def flush(self) -> None:
        """What is not a whole line yet, such as a question, comes out as it is."""
        with self._lock:
            rest, self._rest = self._rest, ""
            self._note(rest)

    def _note(self, line: str) -> None:
        if line.strip():
            self.event("info", "note", text=line.rstrip("\r"))


class _LogHandler(logging.Handler):
    """The one handler: a record, or a warning of Python's, is an event."""

    def __init__(self, output: Output) -> None:
        super().__init__(logging.WARNING)
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text, more = mask_url(record.getMessage()), {}
            if record.exc_info:
                more = {"traceback": mask_url("".join(traceback.format_exception(*record.exc_info)))}
            level = record.levelname.lower()
            if self._output.is_json:
                self._output.event(level, "log", logger=record.name, text=text, **more)
            else:
                self._output.event(level, "log", text="\n".join([f"{level}: {record.name}: {text}", *more.values()]))
        except Exception:
            self.handleError(record)


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether the last `--log-format` among a command's arguments is `json`. It is looked for before they are parsed,
    since a mistake in them is an event, too."""
    found = "text"
    for before, argument in zip(("", *arguments), arguments, strict=False):
        if before == _OPTION:
            found = argument
        elif argument.startswith(f"{_OPTION}="):
            found = argument.partition("=")[2]
    return found == "json"


@contextmanager
def standard_error(*, as_json: bool) -> Iterator[Output]:
    """Takes over `sys.stderr` where JSON is wanted, and what is logged or warned of, for the length of the block."""
    before = sys.stderr
    output = JsonOutput(before) if as_json else TextOutput()
    if isinstance(output, JsonOutput):
        sys.stderr = output
    try:
        with captured(_LogHandler(output)):
            yield output
    finally:
        sys.stderr.flush()
        sys.stderr = before
