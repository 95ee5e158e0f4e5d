"""Runs commands and takes their time and their largest process."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

# A difference of two runs that is smaller says nothing.
_SHORTEST = 0.2


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of a command. `peak_mb` is the largest resident size of any of its processes."""

    seconds: float
    peak_mb: float


def run(command: Sequence[str], log: str) -> Ran:
    """Runs a command with its output in the file `log`; a failing command ends the benchmark with that output."""
    with Path(log).open("wb") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, largest_of_session(process.pid))
            time.sleep(0.02)
        seconds = time.perf_counter() - started
    if process.returncode:
        output_text = Path(log).read_text(errors="replace")[-3000:]
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{output_text}")
    return Ran(seconds, peak)


def largest_of_session(session: int) -> float:
    """The highest peak of resident memory, in MB, among a session's processes (0 where /proc doesn't tell)."""
    return max(peaks_of_session(session).values(), default=0.0)


def peaks_of_session(session: int) -> dict[int, float]:
    """The peak of resident memory so far, in MB, of each of a session's processes (none where /proc doesn't tell)."""
    peaks = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # pid (name) state ppid pgrp session …, proc(5)
            if int(stat.read_text().rpartition(")")[2].split()[3]) != session:
                continue
            status = stat.with_name("status").read_text()
        except (OSError, ValueError):
            continue
        high = next((line for line in status.splitlines() if line.startswith("VmHWM")), "VmHWM: 0 kB")
        peaks[int(stat.parent.name)] = int(high.split()[1]) / 1024
    return peaks


def medians(rounds: int, **tasks: Callable[[], Ran]) -> dict[str, Ran]:
    """Runs all tasks in turn, `rounds` times, so that whatever else the machine does falls on all of them alike."""
    runs: dict[str, list[Ran]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            runs[name].append(task())
    return {
        name: Ran(statistics.median(ran.seconds for ran in each), max(ran.peak_mb for ran in each))
        for name, each in runs.items()
    }


def beyond(ran: Ran, starts: Sequence[Ran]) -> float | None:
    """Seconds of a run beyond those that only start and end; None when it is too short to be told from them."""
    seconds = sorted(start.seconds for start in starts)
    found = ran.seconds - statistics.median(seconds)
    return found if found > max(_SHORTEST, 2 * (seconds[-1] - seconds[0])) else None
