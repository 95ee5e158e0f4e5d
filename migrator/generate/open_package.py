"""A generated package, imported and opened on a target."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from migrator.errors import SettingsError, TargetError, TargetUnavailable
from migrator.generate.runtime.failing import Failing
from migrator.generate.runtime.refusing import told


class Facade(Protocol):
    """What every generated package's main class can do."""

    def fanout(self, limit: int | None = None) -> int: ...

    def failing(self) -> Sequence[Failing]: ...


@contextmanager
def opened(package: str, path: Path, target_url: str) -> Iterator[Facade]:
    """The facade of a package, over the database of `target_url`.

    Raises:
        SettingsError: there is no such package, or the target is no MongoDB database.
        TargetUnavailable: the target doesn't answer.
    """
    kind = _facade(package, path)
    if not target_url.startswith(("mongodb://", "mongodb+srv://")):
        raise SettingsError("the outbox is in MongoDB, and the target is not", hint="Give --target mongodb://…")
    try:
        with MongoClient[dict[str, Any]](target_url, appname="migrator") as client:
            yield kind(client.get_default_database())
    except PyMongoError as error:
        passing = error.has_error_label("RetryableWriteError") or "ServerSelection" in type(error).__name__
        raise (TargetUnavailable if passing else TargetError)(f"the target refused: {told(error)}") from None


def _facade(package: str, path: Path) -> Any:
    folder = str(path.resolve())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        module = importlib.import_module(package)
        # The first name is the facade's (templates/init.jinja).
        return getattr(module, module.__all__[0])
    except (ImportError, AttributeError, IndexError) as error:
        raise SettingsError(
            f"{package} can't be imported as a generated package: {error}",
            where=folder,
            hint="Say with --path where the package lies.",
        ) from None
