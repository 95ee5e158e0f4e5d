"""What commands cost that only print: help, version, completion, usage errors."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence

from rich.table import Table

GOAL_SECONDS = 0.3
_COMMANDS = ("check", "plan", "doctor", "schema", "apply", "sync", "status", "verify", "cutover", "generate", "fanout")
_COMPLETION = {"_MIGRATOR_COMPLETE": "bash_complete", "COMP_WORDS": "migrator plan --", "COMP_CWORD": "2"}


def measure(rounds: int) -> Table:
    """Medians of the CPU time of each, user and system, as a table."""
    table = Table("command", "CPU seconds", "goal")
    for arguments, environment in (
        (("--version",), {}),
        (("--help",), {}),
        *(((name, "--help"), {}) for name in _COMMANDS),
        (("plan", "--no-such-option"), {}),
        (("no-such-command",), {}),
        ((), _COMPLETION),
    ):
        seconds = statistics.median(_cpu_seconds(arguments, environment) for _ in range(rounds))
        name = " ".join(arguments) or "completion of an option"
        missed = "" if seconds <= GOAL_SECONDS else ": missed"
        table.add_row(name, f"{seconds:.2f}", f"<= {GOAL_SECONDS:g}{missed}")
    return table


def _cpu_seconds(arguments: Sequence[str], environment: Mapping[str, str]) -> float:
    before = _of_children()
    code = "from migrator.__main__ import run; run()"
    # Some of them end with a usage error, which is what is measured.
    subprocess.run(
        [sys.executable, "-c", code, *arguments], env={**os.environ, **environment}, capture_output=True, check=False
    )
    return _of_children() - before


def _of_children() -> float:
    """CPU seconds of all processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
