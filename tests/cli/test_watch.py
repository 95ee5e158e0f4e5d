"""`status --watch`: lines, JSON and a screen, until it is told to end, and while a target does not answer."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import sys
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from dev.servers.model import Server
from tests.project import ROOT, Project
from tests.waiting import SECONDS, until

pytestmark = pytest.mark.slow


def test_a_line_for_each_change(project: Project) -> None:
    watching = project.start("status", "--watch", "--interval", "0.2")
    time.sleep(1)
    assert project.apply().code == 0
    until(lambda: "collection accounts: waits for sync" in watching.out, "the end of the copy")
    before = watching.out
    time.sleep(2)
    assert watching.out == before, "nothing has changed"
    watching.signal(signal.SIGINT)
    ended = watching.end()
    assert ended.code == 0, ended
    assert "error" not in ended.err
    said = [line.split("  ", 1)[1] for line in ended.out.splitlines()]
    assert all(one != other for one, other in pairwise(said))
    assert said[-1] in ("apply: ended", "collection accounts: waits for sync")
    assert any(line.startswith("apply: ") for line in said)


def test_a_json_object_on_each_line_and_sigterm(project: Project) -> None:
    assert project.apply().code == 0
    watching = project.start("status", "--watch", "--json", "--interval", "0.2")
    until(lambda: len(watching.out.splitlines()) > 3, "some lines")
    watching.signal(signal.SIGTERM)
    ended = watching.end()
    assert ended.code == 0, ended
    found = [json.loads(line) for line in ended.out.splitlines()]
    assert {each["collections"][0]["state"] for each in found} == {"waits-for-sync"}
    assert len({each["at"] for each in found}) > 1


def test_a_screen_of_80_columns(project: Project) -> None:
    assert project.apply().code == 0
    pid, terminal = pty.fork()
    if pid == 0:
        own = {"MIGRATOR_SOURCE": project.source, "MIGRATOR_TARGET": project.target, "PYTHONPATH": str(ROOT)}
        os.chdir(project.folder)
        command = [sys.executable, "-m", "migrator", "status", "--watch", "--interval", "0.2"]
        os.execvpe(sys.executable, command, {**os.environ, **own, "TERM": "xterm", "COLUMNS": "80", "NO_COLOR": "1"})
    output, asked, end = b"", False, time.monotonic() + SECONDS
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.5)[0]:
            continue
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        output += data
        if not asked and output.count(b"waits for sync") > 2:
            os.write(terminal, b"\x03")
            asked = True
    else:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0, output
    assert b"Ctrl-C ends it" in output
    assert b"Traceback" not in output


def test_a_target_that_went_away_and_came_back(project: Project, mongod_factory: Callable[[], Server]) -> None:
    server = mongod_factory()
    away = project.into(server.url.replace("/?", "/bank?"))
    assert away.apply().code == 0
    watching = away.start("status", "--watch", "--interval", "0.2")
    until(lambda: "collection accounts: waits for sync" in watching.out, "the first look")
    server.kill()
    until(lambda: "target: does not answer" in watching.out, "the fault")
    server.start()
    until(lambda: watching.out.splitlines()[-1].endswith("target: answers again"), "the next look")
    watching.signal(signal.SIGINT)
    assert watching.end().code == 0


def test_a_first_look_that_fails_ends_it(project: Project) -> None:
    nowhere = project.into("mongodb://127.0.0.1:1/none")
    ended = nowhere.run("status", "--watch")
    assert ended.code == 7, ended
    assert "target" in ended.err or "reach" in ended.err


def test_an_interval_without_a_watch_is_a_mistake(project: Project) -> None:
    ended = project.here("status", "--interval", "3")
    assert ended.code == 2
    assert "Add --watch" in ended.err
