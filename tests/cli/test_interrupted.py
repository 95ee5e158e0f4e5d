"""Ctrl-C and SIGTERM while servers don't answer: said at once, and over soon."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from migrator.workers.signals import CUT_OFF, STOPPING
from tests.waiting import SECONDS, until

INTERRUPTED = 130


class Silent:
    """A server that takes connections and says nothing."""

    def __init__(self, listener: socket.socket) -> None:
        self.port: int = listener.getsockname()[1]
        self.taken: list[socket.socket] = []

    @property
    def url(self) -> str:
        return f"127.0.0.1:{self.port}"


@pytest.fixture
def silent() -> Iterator[Silent]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = Silent(listener)

    def take() -> None:
        while True:
            try:
                server.taken.append(listener.accept()[0])
            except OSError:
                return

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    yield server
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()
    for one in server.taken:
        one.close()


@contextmanager
def started(*command: str, folder: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "MIGRATOR_SOURCE": "", "MIGRATOR_TARGET": ""},
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "command", ["check", "plan", "apply --yes", "sync", "verify", "status", "doctor", "cutover --yes", "generate"]
)
def test_a_command_that_waits_for_a_server(
    silent: Silent, tmp_path: Path, command: str, number: signal.Signals
) -> None:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "t.yaml").write_text("collection: t\nfrom: t\n", encoding="utf-8")
    ends = ["--source", f"mysql://root@{silent.url}/x", "--target", f"mongodb://{silent.url}/x"]
    with started("-m", "migrator", *command.split(), *ends, folder=tmp_path) as process:
        until(lambda: bool(silent.taken) or process.poll() is not None, "a connection")
        process.send_signal(number)
        out, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == INTERRUPTED, out
    assert out.index(STOPPING) < out.index("stopped by the user")
    assert "Traceback" not in out


def test_as_json(silent: Silent, tmp_path: Path) -> None:
    url = f"mongodb://{silent.url}/x"
    command = ("-m", "migrator", "--log-format", "json", "status", "--target", url)
    with started(*command, folder=tmp_path) as process:
        until(lambda: bool(silent.taken), "a connection")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=SECONDS)
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["text"] for event in events] == [STOPPING, "stopped by the user"]


# Whatever the first signal leads to waits for an answer that doesn't come.
HANGS = """
import time
from functools import partial
from migrator.workers.signals import interruptible
say = partial(print, flush=True)
with interruptible(say):
    try:
        say("ready")
        time.sleep(60)
    except KeyboardInterrupt:
        said = False
        while True:
            try:
                if not said:
                    said = True
                    say("interrupted")
                time.sleep(60)
            except KeyboardInterrupt:
                # The second signal may come before the text is out.
                say("interrupted again")
"""


def test_the_second_signal_ends_it_whatever_it_waits_for() -> None:
    with started("-c", HANGS) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == f"{STOPPING}\n"
        assert process.stdout.readline() == "interrupted\n"
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=SECONDS)
    assert out.splitlines() == ["interrupted again", CUT_OFF]
    assert process.returncode == INTERRUPTED


def test_what_nohup_ignores_stays_ignored() -> None:
    code = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n{HANGS}"
    with started("-c", code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == f"{STOPPING}\n"
        assert process.stdout.readline() == "interrupted\n"
