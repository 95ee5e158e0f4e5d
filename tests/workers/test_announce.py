"""What is told of phases and waits, to whom and when; lines that come of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from migrator.cli.output.activity import PhaseLines, TextLines
from migrator.errors import Interrupted, TargetError, TargetUnavailable
from migrator.model.report.activity import Activity, Phase, Wait
from migrator.source.connection.blocked import told as blocked
from migrator.target.mongo.copy_state.index_progress import told as building
from migrator.workers import activity_recorder, announcer
from migrator.workers.activity_recorder import Recorder
from migrator.workers.announcer import Announcements, OpenWait
from migrator.workers.retry import retrying
from tests.waiting import until


class Heard:
    def __init__(self) -> None:
        self.all: list[Activity] = []

    def doing(self, activity: Activity) -> None:
        self.all.append(activity)

    @property
    def last(self) -> Activity:
        return self.all[-1]

    @property
    def waits(self) -> set[str]:
        return {f"{each.waiting.what} {each.waiting.detail}".strip() for each in self.all if each.waiting}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_TELL_EVERY", "_ASK_EVERY"):
        monkeypatch.setattr(announcer, name, 0.01)
    for name in ("_SHORT", "_ASK_AFTER"):
        monkeypatch.setattr(announcer, name, 0.0)
    monkeypatch.setattr(activity_recorder, "NOTE_EVERY", 0.01)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def told(heard: Heard) -> Iterator[Announcements]:
    with Announcements("apply", heard) as announcements:
        yield announcements


def test_a_phase_is_told_at_once_and_again(heard: Heard, told: Announcements) -> None:
    told.enter(Phase("copying"))
    assert heard.last.phase == Phase("copying")
    until(lambda: heard.last.seconds > 0.1, "the time that it takes")
    told.enter(Phase("copying", what="a step"))
    assert heard.last.seconds > 0, "another step is the same phase"
    with told.in_background(Phase("recording-keys")):
        assert heard.last.beside == Phase("recording-keys")
    assert heard.last.beside is None


def test_the_innermost_wait_counts(heard: Heard, told: Announcements) -> None:
    with told.waiting("one"):
        until(lambda: heard.waits == {"one"}, "the wait")
        with told.waiting("two"):
            until(lambda: "two" in heard.waits, "the inner wait")
        until(lambda: heard.last.waiting and heard.last.waiting.what == "one", "the outer wait again")
    until(lambda: heard.last.waiting is None, "its end")


def test_who_knows_more_of_a_wait_is_asked(heard: Heard, told: Announcements) -> None:
    with told.waiting("an index", lambda: "30%"):
        until(lambda: "an index 30%" in heard.waits, "the answer")


def refuse() -> str:
    raise TargetError("not allowed")


def test_a_question_that_fails_or_hangs_holds_up_nobody(heard: Heard, told: Announcements) -> None:
    never = threading.Event()

    def hang() -> str:
        never.wait()
        return ""

    for ask in (refuse, hang):
        count = len(heard.all)
        with told.waiting("an index", ask):
            until(lambda count=count: len(heard.all) > count + 5, "being told all the same")  # type: ignore[misc]
    assert heard.waits == {"an index"}
    never.set()


def test_what_a_listener_raises_comes_out_where_the_work_is(told: Announcements) -> None:
    class Gone:
        def doing(self, activity: Activity) -> None:
            if activity.phase.name == "starting":
                raise BrokenPipeError

    with Announcements("apply", Gone()) as announcements:
        until(lambda: announcements._failure, "the failure")
        with pytest.raises(BrokenPipeError):
            announcements.enter(Phase("copying"))


@pytest.mark.parametrize(
    ("error", "ended"),
    [
        (None, "done"),
        (Interrupted("stopped by the user"), "stopped by the user"),
        (KeyboardInterrupt(), "stopped by the user"),
        (TargetError("no room"), "no room"),
        (ZeroDivisionError(), "unexpected ZeroDivisionError"),
    ],
)
def test_how_a_block_ended(told: Announcements, error: BaseException | None, ended: str) -> None:
    other = Heard()

    def work() -> None:
        with told.also(other):
            if error is not None:
                raise error

    if error is None:
        work()
    else:
        with pytest.raises(type(error)):
            work()
    assert other.last.ended == ended


def test_an_open_wait_goes_on_until_something_else_is_waited_for(heard: Heard, told: Announcements) -> None:
    with OpenWait(told) as wait:
        wait.begin("one")
        until(lambda: heard.all and heard.last.waiting and heard.last.waiting.seconds > 0.1, "some time")
        wait.begin("one")
        assert heard.last.waiting
        assert heard.last.waiting.seconds > 0
        wait.begin("two")
        until(lambda: heard.waits == {"one", "two"}, "the other wait")
    until(lambda: heard.last.waiting is None, "its end")


def test_a_fault_that_is_tried_again_is_a_wait(heard: Heard, told: Announcements) -> None:
    tries = iter([TargetUnavailable("gone away", where="there:27017"), TargetUnavailable("other"), None])

    def work() -> str:
        error = next(tries)
        if error is not None:
            raise error
        return "done"

    assert retrying(10, told)(work) == "done"
    assert heard.waits == {"another try, after: gone away (there:27017)"}


# --- the note in the target -----------------------------------------------------------------------------------------


def test_notes_are_made_of_changes_and_of_the_end(told: Announcements) -> None:
    notes: list[Activity] = []
    with Recorder(notes.append, pytest.fail) as record, told.also(record):
        told.enter(Phase("copying"))
        until(lambda: notes and notes[-1].phase.name == "copying", "the phase")
    assert notes[-1].ended == "done"


def test_a_target_that_fails_is_tried_again_and_one_that_refuses_is_not(told: Announcements) -> None:
    errors: list[TargetError] = [TargetUnavailable("away"), TargetUnavailable("away"), TargetError("not allowed")]
    calls, said = [], list[str]()

    def note(activity: Activity) -> None:
        calls.append(activity)
        raise errors[min(len(calls), len(errors)) - 1]

    with Recorder(note, said.append) as record, told.also(record):
        until(lambda: len(calls) == 3, "three calls")
    assert len(calls) == 3
    assert said == ["`migrator status` could not show what this did: not allowed"]


# --- lines ----------------------------------------------------------------------------------------------------------


def lines(told: Callable[[PhaseLines], object]) -> list[str]:
    said: list[str] = []
    told(PhaseLines(TextLines(said.append)))
    return said


def during(lines: PhaseLines, seconds: int, phase: Phase, what: str = "") -> None:
    """A phase that goes on and, when `what` is given, waits for it all the time."""
    for second in range(seconds + 1):
        wait = Wait(what, float(second)) if what else None
        lines.doing(Activity("apply", phase, float(second), None, wait))


def test_no_wait_of_more_than_five_seconds_without_a_line() -> None:
    said = lines(lambda lines: during(lines, 5, Phase("publishing", "orders"), "the target"))
    assert said[0] == "publishing orders"
    assert said[1].startswith("publishing orders: waiting for the target, for 5 s, since ")


def test_a_wait_is_told_again_less_and_less_often() -> None:
    said = lines(lambda lines: during(lines, 300, Phase("starting"), "the target"))
    assert [line.split(", ")[1] for line in said] == [
        "for 5 s",
        "for 10 s",
        "for 20 s",
        "for 40 s",
        "for 1 min 20 s",
        "for 2 min 20 s",
        "for 3 min 20 s",
        "for 4 min 20 s",
    ]


def test_a_phase_that_says_nothing_else_says_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("migrator.cli.output.activity.time.monotonic", lambda: now[0])
    said: list[str] = []
    phases = PhaseLines(TextLines(said.append))
    for second in range(12):
        now[0] += 1
        if second < 4:
            phases.said()
        phases.doing(Activity("apply", Phase("catching-up"), float(second)))
    assert said == ["catching up", "catching up, for 8 s"]


def test_short_phases_are_no_lines() -> None:
    said = lines(
        lambda lines: (
            [during(lines, 0, Phase("building-index", "orders", number, 3)) for number in (1, 2, 3)]
            and during(lines, 2, Phase("building-index", "visits", 1, 2))
        )
    )
    assert said == ["building index 1 of 2 of visits"]


@pytest.mark.parametrize("name", ["following", "standby"])
def test_idleness_is_no_wait(name: str) -> None:
    assert len(lines(lambda lines: during(lines, 100, Phase(name)))) == 1  # type: ignore[arg-type]


# --- what servers say -----------------------------------------------------------------------------------------------


def test_what_a_mongodb_says_of_an_index() -> None:
    """As MongoDB 4.2 to 8.0 describe it, in a thread of the server's own or in the command's."""
    idle = {"ns": "shop.orders", "command": {"find": "orders"}}
    build = {
        "ns": "shop.orders__migrator_1_2",
        "desc": "IndexBuildsCoordinatorMongod-0",
        "command": {"createIndexes": "orders__migrator_1_2", "$db": "shop"},
        "msg": "Index Build: scanning collection Index Build: scanning collection: 12763930/15116380 84%",
        "progress": {"done": 12763930, "total": 15116380},
    }
    names = ("orders", "orders__migrator_1_2")
    assert building([idle, build], "shop", names) == "12,763,930 of 15,116,380 (84%)"
    assert building([idle, build], "another", names) == ""
    assert building([idle, build], "shop", ("visits",)) == ""
    assert building([{**build, "progress": {"done": 0, "total": 0}}], "shop", names) == ""


def test_what_a_source_says_of_locks() -> None:
    def session(number: int, user: str, host: str, time: int, state: str | None) -> dict[str, object]:
        return {"Id": number, "User": user, "Host": host, "Time": time, "State": state}

    ours = session(7, "me", "app-1:4711", 12, "Waiting for table metadata lock")
    others = [
        session(8, "you", "app-1:4712", 50, "Waiting for table metadata lock"),
        session(9, "me", "app-2:4713", 50, "Waiting for table metadata lock"),
        session(10, "me", "app-1:4714", 50, "Sending data"),
        session(11, "me", "app-1:4715", 50, None),
        session(12, "me", "app-1:4716", 50, "Waiting for next activation"),
    ]
    assert blocked([*others, ours], "me", "app-1") == "connection 7 is waiting for table metadata lock, for 12 s"
    more = session(13, "me", "app-1:4717", 3, "Waiting for table flush")
    assert blocked([more, ours], "me", "app-1").endswith("for 12 s, and 1 more")
    assert blocked(others, "me", "app-1") == ""
