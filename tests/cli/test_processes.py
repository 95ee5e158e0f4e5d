"""The program as a process: pipes, signals, terminals."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.conftest import Shop

PROGRAM = (sys.executable, "-m", "migrator")
SECONDS = 60


def environment(shop: Shop) -> dict[str, str]:
    return {**shop.environment(), "MIGRATOR_MAPPINGS": str(shop.mappings), "PYTHONPATH": os.fspath(_root())}


def _root() -> str:
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120


def in_terminal(shop: Shop, arguments: Sequence[str], answer: bytes, *, asked: bytes) -> tuple[int, str]:
    """Runs the program at a terminal of its own, answers when `asked` appears; exit code and output."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(shop.folder)
        os.execvpe(PROGRAM[0], [*PROGRAM, *arguments], {**environment(shop), "TERM": "xterm", "COLUMNS": "100"})
    output, answered, until = b"", False, time.monotonic() + SECONDS
    while time.monotonic() < until:
        if not select.select([terminal], [], [], 0.5)[0]:
            continue
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        if not data:
            break
        output += data
        if not answered and asked in output:
            os.write(terminal, answer)
            answered = True
    else:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), output.decode()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "code", "ids"),
    [
        (b"y\n", 0, [1, 2, 3]),
        (b"Yes\n", 0, [1, 2, 3]),
        (b"\n", 130, []),
        (b"n\n", 130, []),
        (b"\x04", 130, []),
        (b"\x03", 130, []),
    ],
    ids=["yes", "whole-word", "enter", "no", "end", "ctrl-c"],
)
def test_it_asks_at_a_terminal(shop: Shop, answer: bytes, code: int, ids: list[int]) -> None:
    found, output = in_terminal(shop, ["apply", "--workers", "1"], answer, asked=b"[y/N]")
    assert found == code, output
    assert shop.ids() == ids
    assert "Traceback" not in output


@pytest.mark.slow
def test_colours_give_way_to_no_color(shop: Shop) -> None:
    code, output = in_terminal(shop, ["check"], b"", asked=b"nothing")
    assert code == 0
    assert "no mistakes" in output
    assert "\x1b[3" not in output


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_fault(shop: Shop) -> None:
    with subprocess.Popen(
        [*PROGRAM, "plan", "--json"],
        env=environment(shop),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=shop.folder,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read().decode()
        assert process.wait(SECONDS) == 1
    assert "Traceback" not in said
    assert "BrokenPipe" not in said


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_gently_and_the_same_command_goes_on(shop: Shop, number: signal.Signals) -> None:
    rows = ", ".join(f"({n}, 'name {n}', NULL)" for n in range(3, 603))
    shop.sql(f"INSERT INTO customers VALUES {rows}")
    (shop.folder / "migrator.yaml").write_text("chunk_rows: 1\n", encoding="utf-8")
    command = [*PROGRAM, "apply", "--yes", "--workers", "1", "--collection", "customers"]
    process = subprocess.Popen(
        command, env=environment(shop), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=shop.folder
    )
    assert process.stderr is not None
    while "begun" not in process.stderr.readline().decode():
        assert process.poll() is None
    time.sleep(0.3)
    process.send_signal(number)
    said = process.stderr.read().decode()
    assert process.wait(SECONDS) == 130, said
    assert "Run the same apply again" in said
    assert "Traceback" not in said
    assert shop.ids("customers") == []
    (shop.folder / "migrator.yaml").write_text("chunk_rows: 500\n", encoding="utf-8")
    # What was planned before keeps its small chunks; the rest comes in larger ones.
    again = subprocess.run(command, env=environment(shop), capture_output=True, cwd=shop.folder, check=False)
    assert again.returncode == 0, again.stderr.decode()
    assert "resuming run" in again.stderr.decode()
    assert len(shop.ids("customers")) == 602


@pytest.mark.slow
def test_module_and_version() -> None:
    done = subprocess.run([*PROGRAM, "--version"], capture_output=True, cwd=_root(), check=False)
    assert done.stdout.decode() == "migrator 0.1.0\n"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="there is no /dev/full")
def test_output_to_a_full_disk_is_an_error() -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run([*PROGRAM, "schema"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert ended.returncode == 2
    assert ended.stderr == b"error: the output can't be written: No space left on device\n"
