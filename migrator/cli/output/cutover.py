"""What `cutover` prints: the progress of the checklist, then what to switch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.text import Text

from migrator.cli.output.log_output import Output
from migrator.cli.output.verify import VerifyLines
from migrator.cutover.cutover import CutoverObserver
from migrator.model.report.cutover import CutoverResult, Step
from migrator.model.serialize import to_json
from migrator.model.text.formatting import clean


class _Checklist(VerifyLines):
    """Lines on stderr, one for each gate."""

    def passed(self, step: Step) -> None:
        self.note(f"{'ok  ' if step.ok else '--  '}{step.name}: {step.text}")

    def fence_wanted(self) -> None:
        self.note("now make the source read-only: SET GLOBAL read_only = ON; waiting for it")


@contextmanager
def watching(console: Console, output: Output) -> Iterator[CutoverObserver]:
    """An observer that shows the checklist."""
    yield _Checklist(console, output)


def summary(result: CutoverResult, target: str) -> Iterator[RenderableType]:
    """What was done, and what to switch now."""
    names = ", ".join(each.scope.collection for each in result.handovers)
    for warning in result.warnings:
        yield Text.assemble(("warning  ", "yellow"), clean(warning))
    if result.rehearsed:
        missing = [step.name for step in result.steps if not step.ok]
        left = f" What the real cutover still needs: {', '.join(missing)}." if missing else ""
        yield Text(clean(f"Rehearsed for {names}: every other gate holds, nothing was recorded.{left}"), "bold")
        return
    (first, *_) = result.handovers
    yield Text(clean(f"Handed over: {names}, at {first.at}, by {first.by}."), "bold green")
    yield Text(clean(f"Everything logged before {first.position.file}, {first.position.offset} is in {target}."))
    for seed in (seed for each in result.handovers for seed in each.seeds):
        yield Text(clean(f"New ids of {seed.counter} start after {seed.last}."))
    yield Text(clean(f"Switch now: let the application write {names} to {target}, and no more to MySQL."))
    yield Text("sync no longer changes these collections. How to go back: `migrator help cutover`.")


def as_json(result: CutoverResult) -> str:
    """The report file."""
    return json.dumps(json.loads(to_json(result)), indent=2, ensure_ascii=False)
