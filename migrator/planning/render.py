"""A plan as text for people: readable at 80 columns, in a terminal and in a file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from migrator.model.plan import Action, CollectionMeasure, CollectionPlan, Finding, Plan, Severity
from migrator.model.tree import IndexSpec
from migrator.planning.identity import plan_identity
from migrator.planning.tree import table_tree
from migrator.planning.words import clean, count, duration, limit_size, measured_size, number

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
_COPIED = ("create", "rebuild", "replace")
# A biggest document above this part of the limit is said to be near it.
_NEAR_LIMIT = 0.25


def render(plan: Plan) -> RenderableType:
    """The whole plan. Numbers that are estimates begin with `~`."""
    parts: list[RenderableType] = [_head(plan)]
    for each in plan.collections:
        parts += [Text(), *_collection(each, plan.target.capabilities.max_document_bytes)]
    findings = _by_severity(all_findings(plan))
    if findings:
        parts += [Text(), *_findings(findings)]
    parts += [Text(), _summary(plan)]
    return Group(*parts)


def all_findings(plan: Plan) -> list[Finding]:
    """The findings about the whole, then those of each collection."""
    found = list(plan.findings)
    for each in plan.collections:
        found += [*each.findings, *(each.measure.findings if each.measure else ())]
    return found


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


def _collection(each: CollectionPlan, limit: int) -> Iterator[RenderableType]:
    style = _ACTION_STYLES[each.action]
    head = Text.assemble((clean(each.collection.name), "bold"), "  ", (each.action, style))
    yield head
    body: list[RenderableType] = [Text(clean(f"because {reason}"), "dim") for reason in each.reasons]
    if each.action in _COPIED and each.measure is not None:
        body.append(_size(each, each.measure, limit))
    if each.action in (*_COPIED, "adopt"):
        body.append(table_tree(each.collection, each.measure))
    body += _indexes(each)
    if each.validator and each.validator != each.before.validator:
        body.append(Text("validator from mapping and schema"))
    body += _samples(each)
    yield Padding(Group(*body), (0, 0, 0, 2))


def _size(each: CollectionPlan, measure: CollectionMeasure, limit: int) -> Text:
    noun = "document" if measure.documents.value == 1 else "documents"
    text = Text(f"{count(measure.documents)} {noun}, {measured_size(measure.total_bytes)}")
    biggest = measure.biggest
    if biggest.measure.value:
        which = f" ({biggest.key})" if biggest.key else ""
        text.append(clean(f", the biggest{which} {measured_size(biggest.measure)}"))
        part = biggest.measure.value / limit
        if part > 1:
            text.append(f": above the limit of {limit_size(limit)}", "bold red")
        elif part > _NEAR_LIMIT:
            text.append(f": {part:.0%} of the limit of {limit_size(limit)}", "yellow")
    return text.append(f"; in chunks of {number(each.chunk_rows)} rows", "dim")


def _indexes(each: CollectionPlan) -> Iterator[Text]:
    created = {spec.name for spec in each.create_indexes}
    for name in each.drop_indexes:
        if name not in created:
            yield Text.assemble(("- index ", "red"), clean(name))
    for spec in each.create_indexes:
        sign = ("~ index ", "yellow") if spec.name in each.drop_indexes else ("+ index ", "green")
        yield Text.assemble(sign, clean(describe_index(spec)))


def describe_index(spec: IndexSpec) -> str:
    """`number_1  {number: 1} unique`, on one line."""
    keys = ", ".join(f"{field}: {kind}" for field, kind in spec.keys)
    parts = [f"{spec.name}  {{{keys}}}"]
    if spec.unique:
        parts.append("unique")
        if spec.nullable:
            parts.append(f"where {' and '.join(field for field, _ in spec.nullable)} is not null")
    if spec.collation:
        parts.append(f"collation {_collation(spec.collation)}")
    if spec.expire_after_seconds is not None:
        parts.append(f"expires after {duration(spec.expire_after_seconds)}")
    return ", ".join([" ".join(parts[:2]), *parts[2:]]) if spec.unique else ", ".join(parts)


def _collation(text: str) -> str:
    """A locale, or JSON of a locale and a strength."""
    if not text.startswith("{"):
        return text
    return " ".join(f"{value}" if name == "locale" else f"{name} {value}" for name, value in json.loads(text).items())


def _samples(each: CollectionPlan) -> Iterator[Text]:
    for index, sample in enumerate(each.samples, 1):
        yield Text(f"sample {index} of {len(each.samples)}", "dim")
        pretty = json.dumps(json.loads(sample), indent=2, ensure_ascii=False)
        yield Text("\n".join(clean(line) for line in pretty.split("\n")), overflow="fold")


def _by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Worst first; those of one kind follow each other, kinds in order of their first."""
    severities = [severity for severity, _, _ in _SEVERITIES]
    found = list(findings)
    codes = list(dict.fromkeys(finding.code for finding in found))
    return sorted(found, key=lambda each: (severities.index(each.severity), codes.index(each.code)))


def _findings(findings: Sequence[Finding]) -> Iterator[RenderableType]:
    styles = {severity: (style, word) for severity, style, word in _SEVERITIES}
    for finding, following in zip_longest(findings, findings[1:]):
        style, word = styles[finding.severity]
        place = f"{finding.where}: " if finding.where else ""
        rows = Table.grid(padding=(0, 1))
        rows.add_column(width=8, no_wrap=True)
        rows.add_column(overflow="fold")
        text = Text.assemble((clean(place), "bold"), clean(finding.text), (f"  [{finding.code}]", "dim"))
        rows.add_row(Text(word, style), text)
        if following is None or (following.code, following.fix) != (finding.code, finding.fix):
            # The same remedy for several is told once, behind the last.
            for line in finding.fix.splitlines():
                rows.add_row("", Text(f"-> {clean(line)}", "dim" if finding.severity == "info" else ""))
        yield rows


def _summary(plan: Plan) -> Text:
    actions = Counter(each.action for each in plan.collections)
    todo = ", ".join(f"{actions[action]} {_DONE[action]}" for action in _DONE if actions[action])
    text = Text.assemble(("Collections: ", "bold"), todo or "none")
    copied = [each for each in plan.collections if each.action in _COPIED]
    if copied:
        approximately = "" if plan.seconds.exact else "~"
        text.append(f"; copying takes {approximately}{duration(plan.seconds.value)}")
    text.append(".")
    severities = Counter(finding.severity for finding in all_findings(plan))
    if severities["blocked"]:
        text.append(f" Blocked by {severities['blocked']}: apply refuses this plan.", "bold red")
    if any(_is_sampled(each.measure) for each in copied if each.measure is not None):
        text.append(
            " Only samples of large tables were looked at, also for values that don't fit: --exact reads all.", "dim"
        )
    return text


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
