"""Every error migrator raises on purpose, and the exit code each one ends a command with.

An error says *what* happened, *where* (file and line, table and key, server) and *what to do next*.
Whether an operation may be tried again depends on the type (`Retryable`), never on the text of a message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What a command's exit status means; documented in docs/exit-codes.md."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    MAPPING = 3
    REFUSED = 4
    REJECTED = 5
    SOURCE = 6
    TARGET = 7
    RESUMABLE = 8
    BUSY = 9
    BLOCKED = 10
    DIFFERENT = 11
    INTERRUPTED = 130


class MigratorError(Exception):
    """Base of all errors raised on purpose.

    Args:
        what: one sentence on what happened; never holds a password.
        where: the place: `orders.yaml:12`, `shop.orders (id=7)`, `127.0.0.1:3306`.
        hint: what the user can do next.
        said: the server's own words, which may hold values of documents: shown only to who asks (`--show-values`).
    """

    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL

    def __init__(self, what: str, *, where: str = "", hint: str = "", said: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint
        self.said = said

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\n  {self.hint}" if self.hint else text

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process boundaries; keyword-only arguments need help to be pickled.
        return _rebuild, (type(self), self.what, self.where, self.hint, self.said)


def _rebuild(kind: type[MigratorError], what: str, where: str, hint: str, said: str) -> MigratorError:
    return kind(what, where=where, hint=hint, said=said)


class Retryable(MigratorError):
    """A transient error: the same call may succeed later. Mixed into the error classes below."""


class SettingsError(MigratorError):
    """The command line, the environment or migrator.yaml can't be used as given."""

    exit_code = ExitCode.USAGE


class SourceError(MigratorError):
    """The MySQL side refused something for good (wrong password, missing privilege, unknown database)."""

    exit_code = ExitCode.SOURCE


class AccessDenied(SourceError):
    """The account lacks a privilege on the MySQL side."""


class ExpressionFailed(SourceError):
    """The MySQL side can't compute an expression for the values of some row (out of range, not JSON, ...)."""


class SourceUnavailable(SourceError, Retryable):
    """The MySQL side can't be reached now (connection refused or lost, lock wait timeout)."""


class TargetError(MigratorError):
    """The target refused something for good (wrong password, write refused, disk full)."""

    exit_code = ExitCode.TARGET


class TargetUnavailable(TargetError, Retryable):
    """The target can't be reached now (connection lost, election under way)."""


class PlanRefused(MigratorError):
    """A plan must not be executed: something changed since it was made, or it is blocked."""

    exit_code = ExitCode.REFUSED


class NotOwned(PlanRefused):
    """A collection exists that migrator did not create (rule 8)."""


class LeaseHeld(MigratorError):
    """Another apply is at work on the same target (premise C)."""

    exit_code = ExitCode.BUSY


class LeaseLost(MigratorError):
    """The lease was taken by another process while this one was not looking (premise C)."""

    exit_code = ExitCode.BUSY


class LeaseInDoubt(LeaseLost, Retryable):
    """The lease could not be renewed for a while. The target's next answer tells whose it is."""

    exit_code = ExitCode.RESUMABLE


class SyncBlocked(MigratorError):
    """The change log can't be followed from here without losing something; says where, and the way out."""

    exit_code = ExitCode.BLOCKED


class LogLost(SyncBlocked):
    """The log after a position can't be read, now or later: only another copy helps."""


class CutoverRefused(MigratorError):
    """A gate of the cutover does not hold; nothing was changed."""

    exit_code = ExitCode.BLOCKED


class VerifyFailed(MigratorError):
    """The documents are not what the rows say, and something depended on it."""

    exit_code = ExitCode.DIFFERENT


class Stopped(MigratorError):
    """The work stopped before its end and can go on where it stopped."""

    exit_code = ExitCode.RESUMABLE


class Interrupted(Stopped):
    """The user pressed Ctrl-C or sent SIGTERM; the work can go on where it stopped."""

    exit_code = ExitCode.INTERRUPTED


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a mapping file.

    Attributes:
        file: path as the user gave it.
        line: 1-based line, 0 when the whole file is meant.
        column: 1-based column, 0 when unknown.
        message: what is wrong.
        text: the offending text as it stands in the file, "" when there is none.
        suggestion: what to write instead, "" when there is none.
    """

    file: str
    line: int
    column: int
    message: str
    text: str = ""
    suggestion: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        parts = [f"{place}: {self.message}"]
        if self.text:
            parts.append(f"    {self.text}")
        if self.suggestion:
            parts.append(f"    -> {self.suggestion}")
        return "\n".join(parts)


class MappingError(MigratorError):
    """Mistakes in the mapping files: all that could be found, sorted by file and line."""

    exit_code = ExitCode.MAPPING

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.file, p.line, p.column, p.message)))
        count = len(self.problems)
        super().__init__(f"{count} mistake{'' if count == 1 else 's'} in the mapping files")

    def __str__(self) -> str:
        return "\n".join([*(str(problem) for problem in self.problems), self.what])

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.problems,)
