"""Sends what libraries log and warn about, and uncaught exceptions, to one handler instead of standard error."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# What these warn of, their callers deal with: SQL that can't be parsed, a connection that is opened again.
_DEALT_WITH = ("sqlglot", "pymysqlreplication")


@contextmanager
def captured(handler: logging.Handler) -> Iterator[None]:
    """For the length of the block, `handler` gets what is logged in this process, warnings of Python's (by the logger
    `py.warnings`), and the faults of threads and of finalizers."""
    root = logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in _DEALT_WITH}
    hooks = threading.excepthook, sys.unraisablehook
    root.addHandler(handler)
    for name in _DEALT_WITH:
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.captureWarnings(True)
    threading.excepthook, sys.unraisablehook = _thread_failed, _not_raised
    try:
        yield
    finally:
        threading.excepthook, sys.unraisablehook = hooks
        logging.captureWarnings(False)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        root.removeHandler(handler)


def _thread_failed(failed: threading.ExceptHookArgs) -> None:
    name = failed.thread.name if failed.thread is not None else "a thread"
    if failed.exc_value is not None:
        info = (failed.exc_type, failed.exc_value, failed.exc_traceback)
        logging.getLogger("threading").error("%s failed: %s", name, failed.exc_value, exc_info=info)


def _not_raised(failed: Any) -> None:
    info = (failed.exc_type, failed.exc_value, failed.exc_traceback)
    logging.getLogger("python").error("%s: %r", failed.err_msg or "exception ignored in", failed.object, exc_info=info)
