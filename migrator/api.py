"""The library: what every command of the command line calls, for programs that do the same.

The only module that brings sources, targets and the work together; everything below sees the others through protocols.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial

from migrator.generate.model import Options as GenerateOptions
from migrator.generate.model import describe
from migrator.generate.package import Package
from migrator.model.check import Check
from migrator.model.chunk import Rejected
from migrator.model.plan import Plan
from migrator.model.tree import Collection
from migrator.run import preview
from migrator.run.apply import apply as _apply
from migrator.run.outcome import ApplyOptions, ApplyResult, Observer, SampleResult
from migrator.run.sample import sample as _sample
from migrator.run.worker import Ends
from migrator.source import open_source
from migrator.target import open_target

# How long a look at the target waits out passing faults: somebody sits in front of it, perhaps with a mistyped address.
_LOOKING_SECONDS = 5.0


def ends(source_url: str, target_url: str, retry_seconds: float | None = None) -> Ends:
    """How this process and its workers open both sides; see `open_target` for `retry_seconds`.

    Raises:
        SettingsError: when a URL can't be used.
    """
    return Ends(partial(open_source, source_url), partial(open_target, target_url, retry_seconds))


def check(source_url: str, files: preview.MappingFiles) -> tuple[Collection, ...]:
    """The collections that the mapping files describe; see `migrator.run.preview.check`."""
    return preview.check(open_source(source_url), files)


def make_plan(
    source_url: str,
    target_url: str,
    files: preview.MappingFiles,
    options: preview.PlanOptions,
    report: preview.Report = lambda _: None,
) -> Plan:
    """What `apply` would do now; see `migrator.run.preview.make_plan`. Changes nothing."""
    source = open_source(source_url)
    address = f"{source.url.place}/{source.url.database}"
    with closing(open_target(target_url, _LOOKING_SECONDS)) as target:
        return preview.make_plan(source, target, files, address, options, report)


def refuse_outdated(plan: Plan, source_url: str, target_url: str, files: preview.MappingFiles) -> None:
    """Raises PlanRefused when things are not as they were when `plan` was made."""
    with closing(open_target(target_url, _LOOKING_SECONDS)) as target:
        preview.refuse_outdated(plan, open_source(source_url), target, files)


def source_checks(source_url: str) -> Iterator[Check]:
    """The source's lines of `doctor`."""
    yield from open_source(source_url).checks()


def target_checks(target_url: str) -> Iterator[Check]:
    """The target's lines of `doctor`."""
    with closing(open_target(target_url)) as target:
        yield from target.checks()


def rejected(target_url: str, run: str, limit: int) -> list[Rejected]:
    """The first reasons why documents of a run were rejected."""
    with closing(open_target(target_url)) as target:
        return target.state().rejected(run, limit)


def apply(plan: Plan, source_url: str, target_url: str, options: ApplyOptions, observer: Observer) -> ApplyResult:
    """Executes a plan; see `migrator.run.apply.apply` for what it raises.

    Args:
        plan: made by `make_plan`, or read from a file.
        source_url: `mysql://user:password@host:port/db`.
        target_url: `mongodb://host:port/db` or `file:PATH`.
        options: how gently and how far.
        observer: hears of the progress.
    """
    return _apply(plan, ends(source_url, target_url, options.retry_seconds), options, observer)


def sample(plan: Plan, source_url: str, target_url: str, count: int) -> tuple[SampleResult, ...]:
    """Writes up to `count` documents of each collection of the plan into trial collections beside the real ones."""
    return _sample(plan, ends(source_url, target_url), count)


def package(source_url: str, files: preview.MappingFiles, options: GenerateOptions) -> Package:
    """The description of the data-access package for the mapping files; see `migrator.generate.render` for its text."""
    return describe(check(source_url, files), options)
