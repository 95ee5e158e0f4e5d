"""Randomized histories of a database: from one seed, with one writer exactly replayable, with several nearly.

What is written is decided by operations (pure, they look at the live data) and executed by writers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.histories.shape import Shape, read_shape
from tests.histories.transactions import Mix, first_rows
from tests.histories.worlds import WORLDS, World
from tests.histories.writer import Log, Writer
from tests.oracle.documents import Oracle
from tests.oracle.load import connect, run_script


@dataclass(frozen=True)
class Spec:
    """All that decides a history.

    Attributes:
        transactions: of each writer in each round.
        rounds: how often writing pauses so that documents can be judged.
    """

    seed: int
    world: str = "nasty"
    writers: int = 1
    rounds: int = 2
    transactions: int = 25
    mix: Mix = field(default_factory=Mix)

    def __str__(self) -> str:
        """The arguments of tests.histories.replay."""
        return (
            f"{self.seed} --world {self.world} --writers {self.writers} --rounds {self.rounds}"
            f" --transactions {self.transactions}"
        )


class History:
    """A database in the making.

    The oracle reads mappings and columns when the database is new, as a copy does: columns added later are not in it.
    """

    def __init__(self, spec: Spec, url: str, *, patient: bool = False, rows: int | None = None) -> None:
        self.spec = spec
        self.url = url
        self.world: World = WORLDS[spec.world]
        self.log = Log()
        run_script(url, self.world.schema)
        self.oracle = Oracle(url, self.world.mappings)
        self.shape: Shape = read_shape(url, self.oracle)
        self._writers = [
            Writer(url, self.shape, self.world.hints, self.log, number, patient=patient)
            for number in range(spec.writers)
        ]
        self._written = 0
        rows = self.world.rows if rows is None else rows
        if rows:
            self._writers[0].execute(lambda pen: first_rows(pen, rows), f"{spec.seed}:first")

    @property
    def collections(self) -> list[str]:
        """Those that a sync keeps in step."""
        return sorted(self.world.collections or self.oracle.collections)

    def write(self) -> None:
        """One round of all writers, to its end."""
        with self.writing():
            pass

    @contextmanager
    def writing(self, stop: threading.Event | None = None) -> Iterator[Writing]:
        """One round of all writers during the block, awaited at its end; raises what a writer raised."""
        first, count = self._written, self.spec.transactions
        self._written += count
        writing = Writing(
            self._writers, lambda writer: writer.run(f"{self.spec.seed}", first, count, self.spec.mix, stop)
        )
        try:
            yield writing
        finally:
            writing.join()
        writing.check()

    def close(self) -> None:
        for writer in self._writers:
            writer.close()

    def drop(self) -> None:
        """Removes the database."""
        self.close()
        with connect(self.url) as connection, connection.cursor() as cursor:
            cursor.execute("DROP DATABASE IF EXISTS `" + self.url.rpartition("/")[2].split("?")[0] + "`")


class Writing:
    """Writers at work in threads."""

    def __init__(self, writers: list[Writer], work: Callable[[Writer], None]) -> None:
        self._failures: list[BaseException] = []
        self._threads = [threading.Thread(target=self._run, args=(work, writer), daemon=True) for writer in writers]
        for thread in self._threads:
            thread.start()

    @property
    def going_on(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def check(self) -> None:
        if self._failures:
            raise self._failures[0]

    def _run(self, work: Callable[[Writer], None], writer: Writer) -> None:
        try:
            work(writer)
        except BaseException as failure:
            self._failures.append(failure)
