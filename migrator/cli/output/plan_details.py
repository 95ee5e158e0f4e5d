"""One collection of a plan in detail, as text for people: tables, sizes, indexes, samples."""

from __future__ import annotations

import json
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from migrator.cli.output.plan_tree import table_tree
from migrator.model.mapping.tree import IndexSpec
from migrator.model.plan.plan import COPIED, CollectionMeasure, CollectionPlan
from migrator.model.text.formatting import clean, count, duration, limit_size, measured_size, plural, size

# A biggest document above this part of the limit is said to be near it.
_NEAR_LIMIT = 0.25


def details(each: CollectionPlan, limit: int) -> Iterator[RenderableType]:
    """Everything about a collection but its findings and samples.

    Args:
        limit: bytes that a document of the target may have.
    """
    yield Text(clean(each.collection.name), "bold")
    body: list[RenderableType] = []
    if each.action in COPIED and each.measure is not None:
        body.append(_size(each, each.measure, limit))
    if each.action in (*COPIED, "adopt"):
        body.append(table_tree(each.collection, each.measure))
    body += _indexes(each)
    if each.validator and each.validator != each.before.validator:
        body.append(Text("validator from mapping and schema"))
    yield Padding(Group(*body), (0, 0, 0, 2))


def samples(each: CollectionPlan) -> Iterator[RenderableType]:
    """The sample documents of a collection, as JSON."""
    for index, sample in enumerate(each.samples, 1):
        yield Text(clean(f"{each.collection.name}, sample {index} of {len(each.samples)}"), "dim")
        pretty = json.dumps(json.loads(sample), indent=2, ensure_ascii=False)
        yield Text("\n".join(clean(line) for line in pretty.split("\n")), overflow="fold")


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
    if each.copied is not None:
        text.append(f"; {plural(each.copied.documents, 'document')}, {size(each.copied.bytes)} copied already")
    return text.append(f"; in chunks of {plural(each.chunk_rows, 'row')}", "dim")


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
