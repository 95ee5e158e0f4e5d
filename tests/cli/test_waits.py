"""Waits of commands that look: each says within seconds what it waits for; lines that are written over stay lines."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from dataclasses import replace
from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console

from migrator.cli.output.sync import SyncLines
from migrator.model.change.events import SyncReport
from migrator.model.report.activity import Activity, Phase, Wait
from tests.cli.test_interrupted import Silent, silent
from tests.project import ROOT, Project

__all__ = ["silent"]

ANSWERS = "waiting for answers of the servers, for "
WAITS = {
    ("check",): ANSWERS,
    ("generate",): ANSWERS,
    ("doctor",): "waiting for an answer of the source, for ",
    ("verify",): "waiting for the definitions of the tables, for ",
    ("verify", "--independent"): "waiting for the source to say which server it is, for ",
    ("cutover", "--yes"): ANSWERS,
    ("sync", "--dry-run"): ANSWERS,
    ("apply", "plan.json", "--yes"): ANSWERS,
}
# Of `verify` without mapping files, which has nothing to compare them with.
WITHOUT_FILES = "starting: waiting for answers of the servers, for "
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# How the second line of two is left for the first.
UP = "\x1b[2K\x1b[1A"


@pytest.mark.slow
def test_a_source_that_does_not_answer_is_waited_for_with_a_line(project: Project, silent: Silent) -> None:
    assert project.run("plan", "--out", "plan.json").code == 0
    assert project.apply_here().code == 0
    deaf = replace(project, source=f"mysql://root@{silent.url}/bank")
    # One after the other: a busy machine takes long to start them.
    for command, line in WAITS.items():
        running = deaf.start(*command)
        running.says(line)
        assert re.search(rf"starting: {line}\d+ s, since \d\d:\d\d:\d\d|verifying: ", running.err), running.err
        assert not re.search(r"[\x00-\x09\x0b-\x1f]", running.err)
        running.kill()
    (project.folder / "mappings" / "accounts.yaml").unlink()
    (project.folder / "mappings").rmdir()
    running = deaf.start("verify")
    running.says(WITHOUT_FILES)
    running.kill()


def report() -> SyncReport:
    serving = {f"collection_{number}": "run" for number in range(12)}
    return SyncReport("sync: one", "", "", serving, None, changes=10**9, documents=10**9, dirty=10**6, rate=10**5)


@pytest.mark.parametrize("width", [60, 80])
def test_the_line_of_a_sync_stays_one_line(width: int) -> None:
    shown = StringIO()
    lines = SyncLines(Console(file=shown, force_terminal=True, width=width))
    lines.reported(report())
    time.sleep(0.3)
    wait = Wait("another try, after: Lost connection to server [/closed] during query", 12.0, "connection 4711")
    lines.doing(Activity("sync", Phase("building-index", "orders", 2, 3), 20.0, waiting=wait))
    # The line says what is waited for until that is over.
    lines.reported(report())
    time.sleep(0.3)
    lines.close()
    text = shown.getvalue()
    assert UP not in text
    found = [line for line in re.split(r"[\r\n]+", ESCAPES.sub("", text)) if line.strip()]
    assert max(map(cell_len, found)) <= width
    assert "starting: 12 collections" in found[1]
    assert "building index 2 of 3 of orders: waiting" in found[-1]


@pytest.mark.slow
@pytest.mark.parametrize("width", [60, 80])
def test_the_bar_of_an_apply_fits_the_terminal(project: Project, width: int) -> None:
    shown = in_terminal(project, width, "apply", "--yes", "--workers", "2")
    assert "copying" in shown
    assert UP not in shown
    lines = re.split(r"[\r\n]+", ESCAPES.sub("", shown))
    assert max(cell_len(line) for line in lines if "━" in line) <= width
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "".join(lines))


def in_terminal(project: Project, width: int, *arguments: str) -> str:
    """All that the command writes, in a terminal of this width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    known = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    ends = {"MIGRATOR_SOURCE": project.source, "MIGRATOR_TARGET": project.target}
    process = subprocess.Popen(
        [sys.executable, "-m", "migrator", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=project.folder,
        env={**known, **ends, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(theirs)
    found = b""
    try:
        while part := _read(ours):
            found += part
    finally:
        os.close(ours)
        process.wait(60)
    assert process.returncode == 0, found
    return found.decode()


def _read(terminal: int) -> bytes:
    """b"" at the end, which a terminal tells by an error."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
