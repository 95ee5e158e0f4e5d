"""What `status` says of an apply: running, killed, stopped, resumed, into both kinds of target."""

from __future__ import annotations

import json
import signal
import time
from typing import Any

import pytest

from tests.project import Project, Running
from tests.waiting import until

pytestmark = pytest.mark.slow


def asked(project: Project) -> dict[str, Any]:
    ended = project.here("status", "--json")
    assert ended.code == 0, ended
    found: dict[str, Any] = json.loads(ended.out)
    return found


def text(project: Project) -> str:
    ended = project.here("status")
    assert ended.code == 0, ended
    assert [line for line in ended.out.splitlines() if len(line) > 80] == []
    return ended.out


def stopped_copy(project: Project) -> Running:
    """An apply whose workers stand still, so that it stays in the middle of its copy."""
    running = project.start_copying()
    # One that holds the lock of a folder's state would keep the apply from renewing its lease.
    running.stop_workers(unless=project.state_is_locked)
    return running


def test_an_apply_that_is_killed_and_gone_on_with(either: Project) -> None:
    assert asked(either)["apply"] is None
    running = stopped_copy(either)
    until(lambda: (asked(either)["apply"]["phase"] or {}).get("name") == "copying", "the phase")
    found = asked(either)
    assert found["apply"]["running"]
    assert found["apply"]["owner"].startswith(f"process {running.process.pid} on ")
    assert found["run"]["id"]
    (accounts,) = found["collections"]
    assert accounts["state"] == "copying"
    done, planned = accounts["copying"]
    assert 0 < done < planned <= 60
    assert "being copied" in text(either)
    running.kill()
    found = asked(either)
    assert not found["apply"]["running"]
    assert found["apply"]["not_running_since"]
    assert found["apply"]["ended"] == ""
    assert found["apply"]["phase"]["name"] == "copying"
    assert found["apply"]["silent_seconds"] < 30
    assert found["collections"][0]["state"] == "copy-stopped"
    assert "apply      not running since 20" in text(either)
    assert either.apply().code == 0
    found = asked(either)
    assert (found["apply"], found["run"]) == (None, None)
    assert found["collections"][0]["state"] in ("live", "waits-for-sync")


def test_an_apply_that_is_told_to_stop_says_so(either: Project) -> None:
    running = either.start_copying()
    running.signal(signal.SIGINT)
    assert running.end().code == 130
    found = asked(either)
    assert not found["apply"]["running"]
    assert found["apply"]["ended"] == "stopped by the user"
    assert "stopped by the user" in text(either)


def test_an_apply_that_sleeps_gives_no_sign_of_life(either: Project) -> None:
    running = stopped_copy(either)
    while True:
        running.signal(signal.SIGSTOP)
        if not either.state_is_locked():
            break
        running.signal(signal.SIGCONT)
        time.sleep(0.05)
    until(lambda: asked(either)["apply"]["silent_seconds"] > 13, "silence")
    assert asked(either)["apply"]["running"]
    assert "no sign of life for 1" in text(either)
