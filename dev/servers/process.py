"""One server process in a folder of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from dev.servers.guard import Guard
from dev.servers.model import Unavailable

START_SECONDS = 60.0
RESERVED_PORTS = frozenset({3306, 33060, 27017, 27018, 27019})
"""Ports where a person's own servers live: never used."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on at the moment."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port not in RESERVED_PORTS:
            return port


class Folder:
    """A temporary folder that is removed at the end, also when this process is killed."""

    def __init__(self, name: str) -> None:
        self.guard = Guard()
        # A Unix socket's path has 107 bytes at most, and some systems' temporary folder is long already.
        base = tempfile.gettempdir()
        self.path = Path(tempfile.mkdtemp(prefix=f"migrator-{name}-", dir=base if len(base) < 50 else "/tmp"))
        self.guard.folder(self.path)

    @property
    def log(self) -> Path:
        """What commands run here wrote."""
        return self.path / "server.log"

    def run(self, command: Sequence[str]) -> None:
        """Runs a preparing command.

        Raises:
            Unavailable: it failed; holds the end of what it wrote.
        """
        with self.log.open("ab") as log:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.path,
                env=_environment(),
                check=False,
            )
        if done.returncode:
            raise Unavailable(f"{Path(command[0]).name} ended with {done.returncode}\n{self.tail()}")

    def tail(self, lines: int = 15) -> str:
        """The last lines of the log, indented."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])

    def remove(self) -> None:
        """Ends what still runs in the folder and removes it."""
        self.guard.release()
        shutil.rmtree(self.path, ignore_errors=True)


class Process:
    """A server that runs in a folder.

    Args:
        command: what to run.
        folder: working directory, log, data; belongs to this object from now on.
        answers: raises any exception as long as the server doesn't answer.
    """

    def __init__(self, command: Sequence[str], folder: Folder, answers: Callable[[], object]) -> None:
        self._command = command
        self._folder = folder
        self._answers = answers
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    def start(self) -> None:
        """Starts the server and waits until it answers.

        Raises:
            Unavailable: it ended or didn't answer in time; holds the end of its log. Nothing is left running.
        """
        if self._process is not None:
            raise RuntimeError("the server is running already")
        with self._folder.log.open("ab") as log:
            # Its own session: Ctrl-C in the terminal must not end the server before its users are done.
            try:
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self._folder.path,
                    env=_environment(),
                    start_new_session=True,
                )
            except OSError as problem:
                raise Unavailable(f"{self._command[0]} can't be run: {problem.strerror}") from problem
        self._folder.guard.process(self._process.pid)
        try:
            self._wait(self._process)
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """Ends the server at once; does nothing when it isn't running."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Ends the server and removes its folder. Throwaway data needs no orderly shutdown."""
        self.kill()
        self._folder.remove()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        name = Path(self._command[0]).name
        deadline = time.monotonic() + START_SECONDS
        while True:
            if process.poll() is not None:
                raise Unavailable(f"{name} ended with {process.returncode} while starting\n{self._folder.tail()}")
            try:
                self._answers()
            except Exception as not_yet:
                if time.monotonic() > deadline:
                    reason = f"{name} did not answer within {START_SECONDS:.0f} s ({not_yet})"
                    raise Unavailable(f"{reason}\n{self._folder.tail()}") from not_yet
                time.sleep(0.05)
            else:
                return


def _environment() -> dict[str, str]:
    """Servers get nothing that could carry the user's settings or secrets."""
    return {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ
    }
