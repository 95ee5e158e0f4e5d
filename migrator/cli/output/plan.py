"""A plan as text for people, the summary first: readable at 80 columns, in a terminal and in a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, zip_longest

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from migrator.cli.output.plan_details import details, samples
from migrator.model.plan.plan import COPIED, Action, CollectionMeasure, CollectionPlan, Finding, Measure, Plan, Severity
from migrator.model.text.formatting import clean, count, duration, listed, measured_size, plural, size
from migrator.planning.build import estimate
from migrator.planning.plan_identity import plan_identity

_ACTION_STYLES: dict[Action, str] = {
    "create": "bold green",
    "rebuild": "bold yellow",
    "replace": "bold red",
    "adopt": "bold yellow",
    "indexes": "bold cyan",
    "unchanged": "dim",
}
_SEVERITIES: tuple[tuple[Severity, str, str], ...] = (
    ("blocked", "bold red", "blocked"),
    ("warning", "yellow", "warning"),
    ("info", "dim", "note"),
)
# Findings of one kind that are written out without --details, if there are more by at least two.
_FEW = 3


def overview(plan: Plan) -> RenderableType:
    """The plan's point: what happens to each collection, and the findings by kind. Numbers that are estimates begin
    with `~`."""
    findings = list(_of_few(_by_kind(all_findings(plan))))
    more = Text("--details shows tables, indexes and every finding.", "dim")
    return Group(*_upper(plan), *_spaced(findings), *_samples(plan), Text(), more, *_verdict(plan))


def detailed(plan: Plan) -> RenderableType:
    """As `overview`, and the tables, sizes and indexes of each collection, and every finding."""
    parts: list[RenderableType] = []
    for each in plan.collections:
        if each.action != "unchanged":
            parts += [Text(), *details(each, plan.target.capabilities.max_document_bytes)]
    findings = [part for kind in _by_kind(all_findings(plan)) for part in _kind(kind, kind)]
    return Group(*_upper(plan), *parts, *_spaced(findings), *_samples(plan), *_verdict(plan))


def all_findings(plan: Plan) -> list[Finding]:
    """The findings about the whole, then those of each collection."""
    found = list(plan.findings)
    for each in plan.collections:
        found += [*each.findings, *(each.measure.findings if each.measure else ())]
    return found


def _upper(plan: Plan) -> Iterator[RenderableType]:
    yield _head(plan)
    yield Text()
    yield _summary(plan)
    changed = [each for each in plan.collections if each.action != "unchanged"]
    if changed:
        yield Text()
        yield from _collections(changed)
    unchanged = [each.collection.name for each in plan.collections if each.action == "unchanged"]
    if unchanged:
        yield Text(clean(f"unchanged: {listed(unchanged)}"), "dim")


def _head(plan: Plan) -> RenderableType:
    source = f"{plan.source.flavor} {plan.source.version} at {plan.source_address}"
    version = plan.target.version
    # A folder of files has a layout in place of a version.
    numbered = f"version {version}" if version[:1].isdigit() else version
    target = f"{plan.target.address} ({numbered})" if version else plan.target.address
    sync = (
        "can follow: the source keeps a change log"
        if plan.syncable
        else "can't follow: the source keeps no change log that migrator may read"
    )
    rows = Table.grid(padding=(0, 2))
    made = plan.created.replace("T", " ").replace("+00:00", " UTC")
    rows.add_row(Text("Plan", "bold"), Text.assemble((plan_identity(plan), "bold"), f", made {made}"))
    rows.add_row("from", Text(clean(source)))
    rows.add_row("to", Text(clean(target)))
    rows.add_row("sync", Text(sync))
    return rows


def _collections(changed: Sequence[CollectionPlan]) -> Iterator[RenderableType]:
    """A line a collection, and below it why."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("collection", overflow="fold")
    table.add_column("action", no_wrap=True)
    for name in ("documents", "size", "time"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in changed:
        sizes = ["", "", ""]
        if each.action in COPIED and each.measure is not None:
            sizes = [count(each.measure.documents), measured_size(each.bytes_left), _time(estimate([each]))]
        table.add_row(Text(clean(each.collection.name), "bold"), Text(each.action, _ACTION_STYLES[each.action]), *sizes)
    yield table
    for each in changed:
        for reason in (*each.reasons, *_copied(each)):
            yield Padding(Text.assemble((clean(each.collection.name), "bold"), clean(f": {reason}")), (0, 0, 0, 2))


def _copied(each: CollectionPlan) -> Iterator[str]:
    if each.copied is not None:
        done = f"{plural(each.copied.documents, 'document')}, {size(each.copied.bytes)}"
        yield f"{done} are copied already; size and time are of what is left"


def _time(seconds: Measure) -> str:
    return duration(seconds.value) if seconds.exact else f"~{duration(seconds.value)}"


def _spaced(parts: Sequence[RenderableType]) -> Sequence[RenderableType]:
    return [Text(), *parts] if parts else ()


def _samples(plan: Plan) -> Iterator[RenderableType]:
    for each in plan.collections:
        yield from _spaced(list(samples(each)))


def _by_kind(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Worst first; kinds in order of their first."""
    severities = [severity for severity, _, _ in _SEVERITIES]
    found = list(findings)
    codes = list(dict.fromkeys(finding.code for finding in found))
    ordered = sorted(found, key=lambda each: (severities.index(each.severity), codes.index(each.code)))
    return [list(kind) for _, kind in groupby(ordered, key=lambda each: (each.severity, each.code))]


def _of_few(kinds: Iterable[Sequence[Finding]]) -> Iterator[RenderableType]:
    for kind in kinds:
        yield from _kind(kind, kind if len(kind) <= _FEW + 1 else kind[:_FEW])


def _kind(kind: Sequence[Finding], shown: Sequence[Finding]) -> Iterator[RenderableType]:
    """The findings of one severity and code; those that are not `shown` by their places."""
    style, word = next((style, word) for severity, style, word in _SEVERITIES if severity == kind[0].severity)
    rows = Table.grid(padding=(0, 1))
    rows.add_column(width=8, no_wrap=True)
    rows.add_column(overflow="fold")
    code = (f"  [{kind[0].code}]", "dim")
    if len(kind) > 1:
        rows.add_row(Text(word, style), Text.assemble(plural(len(kind), "finding"), code))
    for finding, following in zip_longest(shown, shown[1:]):
        place = f"{finding.where}: " if finding.where else ""
        text = Text.assemble((clean(place), "bold"), clean(finding.text))
        if len(kind) == 1:
            rows.add_row(Text(word, style), text.append(*code))
        else:
            rows.add_row("", text)
        if following is None or following.fix != finding.fix:
            # The same remedy for several is told once, after the last.
            for line in finding.fix.splitlines():
                rows.add_row("", Text(f"-> {clean(line)}", "dim" if finding.severity == "info" else ""))
    rest = kind[len(shown) :]
    if rest:
        places = listed(dict.fromkeys(finding.where for finding in rest if finding.where))
        rows.add_row("", Text(clean(f"and {len(rest)} more: {places}" if places else f"and {len(rest)} more"), "dim"))
    yield rows


def _summary(plan: Plan) -> Text:
    actions = Counter(each.action for each in plan.collections)
    todo = ", ".join(f"{actions[action]} {_DONE[action]}" for action in _DONE if actions[action])
    text = Text.assemble(("Collections: ", "bold"), todo or "none")
    copied = [each for each in plan.collections if each.action in COPIED]
    if copied:
        rest = "copying the rest takes" if any(each.copied for each in copied) else "copying takes"
        text.append(f"; {rest} {_time(plan.seconds)}")
    text.append(".")
    if plan.blocked:
        text.append(f" Blocked by {len(plan.blocked)}: apply refuses this plan.", "bold red")
    return text


def _verdict(plan: Plan) -> Iterator[Text]:
    """What must be known at the end of a long text, too."""
    copied = [each.measure for each in plan.collections if each.action in COPIED and each.measure is not None]
    if any(map(_is_sampled, copied)):
        text = "Only samples of large tables were checked, also for values that don't fit: --exact reads all rows."
        yield Text(text, "dim")
    if plan.blocked:
        yield Text(f"Blocked by {plural(len(plan.blocked), 'finding')}: apply refuses this plan.", "bold red")


def _is_sampled(measure: CollectionMeasure) -> bool:
    return not (measure.documents.exact and all(node.rows.exact for node in measure.nodes))


_DONE: dict[Action, str] = {
    "create": "to create",
    "rebuild": "to rebuild",
    "replace": "to replace",
    "adopt": "to adopt",
    "indexes": "with changed indexes",
    "unchanged": "unchanged",
}
