"""Where servers are installed that a machine lacks, by one process at a time: several tests may start at once."""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

HOME = Path(__file__).parents[2] / ".servers"


@contextmanager
def alone() -> Iterator[None]:
    """No other process installs anything for the length of the block."""
    HOME.mkdir(exist_ok=True)
    # The folder ignores itself, so that no list of ignored files has to know it.
    (HOME / ".gitignore").write_text("*\n")
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def quietly(command: Sequence[str], environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a command that asks nothing; all that it said is in `stdout`. The exit code is the caller's to judge."""
    return subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
