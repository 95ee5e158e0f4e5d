"""What `status` prints: the one model, once as text for people and once as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, fields
from datetime import datetime

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from migrator.cli.output.activity import doing, waiting
from migrator.cli.output.sync import facts
from migrator.model.change.events import RefKind, SyncReport
from migrator.model.report.status import CollectionState, CollectionStatus, Pass, Rebuild, Status, SyncStatus, Work
from migrator.model.text.formatting import clean, duration, number, plural

# A process that lives gives a sign of it every few seconds.
_SILENT = 12.0
_GO_ON = {
    "apply": "`migrator apply` continues where it stopped",
    "sync": "`migrator sync` continues where it stopped",
    "verify": "`migrator verify` continues where it stopped, or starts again after a day",
}
_STATES: dict[CollectionState, str] = {
    "waits-for-copy": "to be copied",
    "copying": "being copied",
    "copied": "copied, not live yet",
    "copy-stopped": "copy stopped",
    "unknown": "unknown",
    "catching-up": "catching up",
    "in-step": "in step",
    "waits-for-sync": "waits for sync",
    "handed-over": "handed over",
    "live": "live",
}
# Instead, where all of it is to be rebuilt.
_REBUILDING: dict[CollectionState, str] = {
    "catching-up": "being rebuilt",
    "waits-for-sync": "waits for sync to rebuild it",
}
_PASSES: dict[RefKind, str] = {"documents": "documents", "rejected": "rejected documents", "rows": "rows"}


# --- for people ----------------------------------------------------------------------------------------------------


def as_text(status: Status) -> Iterator[RenderableType]:
    """A table of collections, then a paragraph for each command."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("collection", overflow="fold")
    table.add_column("state", overflow="fold")
    for name in ("documents", "rejected"):
        table.add_column(name, justify="right")
    for each in status.collections:
        state = _state(each, status.sync)
        table.add_row(Text(clean(each.name)), Text(clean(state)), number(each.documents), number(each.rejected))
    yield table
    is_followed = any(each.following for each in status.collections)
    sync = _sync_lines(status.sync) if status.sync is not None or is_followed else []
    rebuilds = [line for each in status.collections if each.rebuild for line in _rebuild_lines(each.name, each.rebuild)]
    for lines in (rebuilds, _work_lines(status.apply), sync, _work_lines(status.verify)):
        if lines:
            yield Text()
            yield _paragraph(lines)


Line = tuple[str, str]


def _paragraph(lines: list[Line]) -> Table:
    rows = Table.grid(padding=(0, 2, 0, 0))
    rows.add_column(width=9, no_wrap=True)
    rows.add_column(overflow="fold")
    for head, text in lines:
        rows.add_row(head, Text(clean(text)))
    return rows


def state_words(each: CollectionStatus) -> str:
    """A collection's state, without numbers."""
    if each.state == "live" and each.why:
        return each.why
    return _REBUILDING.get(each.state, _STATES[each.state]) if each.rebuild is not None else _STATES[each.state]


def _state(each: CollectionStatus, sync: SyncStatus | None) -> str:
    words = state_words(each)
    if each.copying is not None and each.copying != (0, 0) and each.state != "copied":
        done, total = each.copying
        return f"{words}, {number(done)} of {plural(total, 'chunk')} so far"
    if each.state in ("in-step", "catching-up") and sync is not None and sync.lag_seconds:
        words += f", lag {duration(sync.lag_seconds)}"
    # The passes of a rebuild are told by themselves.
    others = each.dirty - (0 if each.rebuild is None else len(each.rebuild.passes))
    return words + (f", {number(others)} waiting" if others > 0 else "")


def _rebuild_lines(name: str, rebuild: Rebuild) -> list[Line]:
    since = ""
    if rebuild.since is not None and rebuild.seconds is not None:
        since = f", since {moment(rebuild.since)}, {duration(rebuild.seconds)} ago"
    lines = [("rebuild", f"{name}{since}")]
    if rebuild.why:
        lines.append(("", f"because {rebuild.why}"))
    first, *further = rebuild.passes
    then = "".join(f", then all {_PASSES[each.of]}" for each in further)
    return [*lines, ("", f"{_done(first)}{then}")]


def _done(part: Pass) -> str:
    """`14,000 of about 947,000 documents done`."""
    total = "" if part.total is None else f" of about {number(part.total)}"
    return f"{number(part.done)}{total} {_PASSES[part.of]} done"


def _work_lines(work: Work | None) -> list[Line]:
    if work is None:
        return []
    head, lines = work.command, list[Line]()
    if not work.running:
        lines.append((head, not_running(work)))
        return [*lines, ("", _GO_ON[work.command])]
    lines.append((head, _phase(work)))
    lines += _rest(work)
    return lines


def _rest(work: Work) -> list[Line]:
    """Of one that runs."""
    # The head says the first word.
    lines = [("waiting", waiting(work.waiting).removeprefix("waiting "))] if work.waiting is not None else []
    if work.silent_seconds is not None and work.silent_seconds > _SILENT:
        lines.append(("", f"no sign of life for {duration(work.silent_seconds)}: stopped, or cut off from the target"))
    return [*lines, ("process", work.owner.removeprefix("process "))]


def _phase(work: Work) -> str:
    if work.phase is None:
        return "at work"
    text = doing(work.phase, work.beside)
    return text + (f", for {duration(work.phase_seconds)}" if work.phase_seconds is not None else "")


def not_running(work: Work) -> str:
    """`not running since 2026-11-24 18:02:11 UTC, 12 s ago, while copying`."""
    text = "not running"
    if work.not_running_since is not None:
        text += f" since {moment(work.not_running_since)}"
    if work.silent_seconds is not None:
        text += f", {duration(work.silent_seconds)} ago"
    if work.phase is not None and work.ended != "done" and work.phase.name not in ("following", "starting"):
        text += f", while {work.phase}"
    return text + (f": {work.ended}" if work.ended not in ("", "done") else "")


def _sync_lines(sync: SyncStatus | None) -> list[Line]:
    if sync is None:
        return [("sync", "not running")]
    work, report = sync.work, sync.report
    lines = [("sync", _phase(work)), *_rest(work)] if work.running else [("sync", not_running(work))]
    if report is None:
        return lines
    if report.position is not None:
        gtid = f" ({report.position.gtid})" if report.position.gtid else ""
        lines.append(("position", f"{report.position.file}:{report.position.offset}{gtid}"))
    lines.append(("lag", _lag(sync, report)))
    lines.append(
        ("rate", f"{report.rate:,.0f} changes a second; {number(report.changes)} since {moment(report.started)}")
    )
    if report.expires_in is not None:
        lines.append(("log", f"expires in {duration(round(report.expires_in))}"))
    if report.error:
        lines.append(("error", report.error))
    return lines


def _lag(sync: SyncStatus, report: SyncReport) -> str:
    known = report.lag_seconds
    more = "" if report.lag_transactions is None else f", {plural(report.lag_transactions, 'transaction')}"
    if sync.lag_seconds is not None:
        return f"{duration(sync.lag_seconds)}{more}"
    ago = "" if sync.age is None else f"{duration(round(sync.age))} ago"
    if not sync.work.running:
        return "unknown: no sync runs" + (f"; {ago} it was {duration(known)}{more}" if known is not None else "")
    if sync.stale:
        said = f"it said {duration(known)}{more}" if known is not None else "it did not know the lag"
        return f"unknown: the last report is stale, of {ago}; {said}"
    return f"unknown until the first batch is done{more}"


def moment(iso: str) -> str:
    """`2026-11-24 18:02:11 UTC`."""
    return datetime.fromisoformat(iso).strftime("%Y-%m-%d %H:%M:%S UTC")


# --- for programs --------------------------------------------------------------------------------------------------


def as_json(status: Status, *, indent: int | None = 2) -> str:
    """All of it; docs/cli.md says which names are old ones."""
    sync = status.sync
    owner = sync.work.owner if sync is not None and sync.work.running else None
    return json.dumps(
        {
            "target": status.target,
            "at": status.at,
            "run": None if status.run is None else asdict(status.run),
            "collections": [asdict(each) for each in status.collections],
            "apply": _work_facts(status.apply),
            "sync": None if sync is None else _sync_facts(sync),
            "verify": _work_facts(status.verify),
            # Names of earlier versions.
            "sync_owner": None if owner is None else f"sync: {owner}",
            "sync_age_seconds": 0.0 if sync is None or sync.age is None else sync.age,
        },
        indent=indent,
    )


def _sync_facts(sync: SyncStatus) -> dict[str, object]:
    """The report, with what is known now in place of what it said."""
    report = sync.report
    names = [each.name for each in fields(SyncReport)]
    said = dict.fromkeys(names, None) if report is None else facts(report)
    return {
        **said,
        "state": sync.state,
        "lag_seconds": sync.lag_seconds,
        "stale": sync.stale,
        "age_seconds": sync.age,
        "reported_state": said["state"],
        "reported_lag_seconds": said["lag_seconds"],
        "work": _work_facts(sync.work),
    }


def _work_facts(work: Work | None) -> dict[str, object] | None:
    if work is None:
        return None
    found = asdict(work)
    for name, phase in (("phase", work.phase), ("beside", work.beside)):
        if phase is not None:
            found[name] = {**asdict(phase), "text": str(phase)}
    return found
