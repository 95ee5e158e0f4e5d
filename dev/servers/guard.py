"""Ends the child processes of a killed process.

`kill -9` leaves a process no time to clean up, so a helper process is told beforehand what to clean up. It waits at the
other end of a pipe: when the pipe closes, however that came about, it kills the named processes and containers and
removes the named folders. Run as a script it needs nothing but the standard library (and `docker` for containers).
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO


class Guard:
    """The guarded process' end of the pipe."""

    def __init__(self) -> None:
        # Its own session: Ctrl-C in the terminal must not end the guard before the servers.
        self._helper = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        pipe = self._helper.stdin
        assert pipe is not None
        self._pipe: IO[bytes] = pipe

    def process(self, pid: int) -> None:
        """The process `pid` is to be killed when this process ends."""
        self._say(f"process {pid} {started(pid)}")

    def folder(self, path: Path) -> None:
        """The folder is to be removed when this process ends."""
        self._say(f"folder {path}")

    def container(self, name: str) -> None:
        """The container is to be removed, with its volumes, when this process ends."""
        self._say(f"container {name}")

    def release(self) -> None:
        """What was named and is still there ends now; does nothing the second time."""
        if not self._pipe.closed:
            self._say("end")
            self._pipe.close()
        self._helper.wait()

    def _say(self, line: str) -> None:
        self._pipe.write(f"{line}\n".encode())
        self._pipe.flush()


def started(pid: int) -> str:
    """When a process started, in clock ticks: tells it from a later one with its id. "-" where there is no /proc."""
    try:
        # Field 22 of proc(5) stat; the second field may hold blanks, so count from the end of it.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return "-"


def _named(owner: int) -> list[str]:
    """Everything named until the owner says so or is gone.

    The pipe's end alone doesn't tell: a forked child of the owner may hold it open.
    """
    received = b""
    while os.getppid() == owner and not received.endswith(b"end\n"):
        if select.select([0], [], [], 1)[0]:
            part = os.read(0, 65536)
            if not part:
                break
            received += part
    return received.decode().splitlines()


def _clean_up(names: list[str]) -> None:
    items = [name.partition(" ")[::2] for name in names]
    for kind, what in items:
        if kind == "process":
            pid, _, start = what.partition(" ")
            if started(int(pid)) == start:
                _kill(int(pid))
    for kind, what in items:
        if kind == "container":
            _remove_container(what)
        elif kind == "folder":
            shutil.rmtree(what, ignore_errors=True)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _remove_container(name: str) -> None:
    import docker  # only where a container was named
    from docker.errors import NotFound

    try:
        docker.from_env().containers.get(name).remove(force=True, v=True)
    except NotFound:
        return


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    _clean_up(_named(os.getppid()))
