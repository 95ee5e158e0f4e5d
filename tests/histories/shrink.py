"""A failing history made small: `python -m tests.histories.shrink SEED --collection products`.

The history is played once. Then its statements are run again in the order in which they had returned, each on its
writer's connection, with fewer and fewer of them, as long as the documents still differ after the sync.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import click
import pymysql

from dev.servers.session import Session
from tests.histories import campaign
from tests.histories.history import History, Spec
from tests.histories.judge import judge
from tests.histories.replay import fresh
from tests.histories.transactions import STRICT, ZONES
from tests.histories.worlds import WORLDS
from tests.histories.writer import Done
from tests.oracle.load import connect
from tests.sync import running

Part = tuple[Done, ...]


class Shrinker:
    """Runs parts of a history against fresh databases."""

    def __init__(self, spec: Spec, server: str, documents: str, collections: Sequence[str]) -> None:
        self._spec = spec
        self._server = server
        self._documents = documents
        self._collections = collections
        self.runs = 0

    def record(self) -> tuple[list[Part], list[Part]]:
        """The first rows and the transactions of a history, played without a sync."""
        with fresh(self._server, self._documents) as (source, _):
            history = History(self._spec, source)
            first = len(history.log.done)
            try:
                for _ in range(self._spec.rounds):
                    history.write()
            finally:
                history.close()
            done = history.log.done
            return [(each,) for each in done[:first]], _transactions(done[first:])

    def fails(self, before: Sequence[Part], after: Sequence[Part]) -> str:
        """How the documents differ when `before` was copied and `after` was synced; "" when they don't."""
        self.runs += 1
        with fresh(self._server, self._documents) as (source, target):
            history = History(replace(self._spec, rounds=0), source, rows=0)
            history.close()
            _execute(source, before)
            run = running.apply(source, target, history.world.mappings, self._collections)
            _execute(source, after)
            try:
                campaign.in_process(history, target)
                judge(history, target, [run], collections=self._collections)
            except Exception as failure:
                return f"{type(failure).__name__}: {failure}"
        return ""


def shrunk(parts: Sequence[Part], fails: Callable[[Sequence[Part]], bool]) -> list[Part]:
    """Fewer parts that still fail (delta debugging: leaves out ever smaller pieces)."""
    kept, size = list(parts), max(1, len(parts) // 2)
    while True:
        start, changed = 0, False
        while start < len(kept):
            rest = kept[:start] + kept[start + size :]
            if fails(rest):
                kept, changed = rest, True
            else:
                start += size
        if size == 1 and not changed:
            return kept
        size = max(1, size // 2)


def _transactions(done: Sequence[Done]) -> list[Part]:
    """By writer and transaction, in the order of their ends; statements that failed are left out."""
    parts: dict[tuple[int, int], list[Done]] = {}
    for each in done:
        parts.setdefault((each.writer, each.number), []).append(each)
    ends = {key: max(done.index(each) for each in statements) for key, statements in parts.items()}
    return [tuple(parts[key]) for key in sorted(parts, key=lambda key: ends[key])]


def _execute(source: str, parts: Sequence[Part]) -> None:
    """One after the other; a statement that fails now is left out."""
    with ExitStack() as stack:
        connections = {}
        for done in (done for part in parts for done in part):
            if done.writer not in connections:
                zone = ZONES[done.writer % len(ZONES)]
                settings = f"SET time_zone = '{zone}', sql_mode = '{STRICT}', innodb_lock_wait_timeout = 2"
                connections[done.writer] = stack.enter_context(connect(source, init_command=settings, conv={}))
            try:
                with connections[done.writer].cursor() as cursor:
                    cursor.execute(done.sql)
            except pymysql.MySQLError:
                continue


def _single(parts: Sequence[Part]) -> list[Part]:
    return [(done,) for part in parts for done in part]


@click.command()
@click.argument("seed", type=int)
@click.option("--world", type=click.Choice(sorted(WORLDS)), default="nasty")
@click.option("--writers", default=1)
@click.option("--rounds", default=2)
@click.option("--transactions", default=25)
@click.option("--collection", "collections", multiple=True, required=True)
@click.option("--out", type=click.Path(path_type=Path), help="Where the small history goes.")
def main(
    seed: int, world: str, writers: int, rounds: int, transactions: int, collections: tuple[str, ...], out: Path | None
) -> None:
    """Plays a history and makes it small."""
    with Session() as servers:
        spec = Spec(seed, world, writers, rounds, transactions)
        shrinker = Shrinker(spec, servers.mysql().url, servers.mongodb().url, collections)
        began = time.monotonic()
        first, then = shrinker.record()
        if not shrinker.fails(first, then):
            raise click.ClickException("it doesn't fail without writers during the sync, or not in this order")
        then = shrunk(then, lambda parts: bool(shrinker.fails(first, parts)))
        then = shrunk(_single(then), lambda parts: bool(shrinker.fails(first, parts)))
        first = shrunk(first, lambda parts: bool(shrinker.fails(parts, then)))
        lines = ["-- copied"]
        lines += [str(done) for (done,) in first]
        lines += ["-- synced"]
        for _, group in groupby(then, key=lambda part: part[0].writer):
            lines += [str(done) for (done,) in group]
        lines += ["", shrinker.fails(first, then)]
        text = "\n".join(lines)
        click.echo(f"{text}\n{shrinker.runs} runs, {time.monotonic() - began:.0f} s")
        if out is not None:
            out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
