"""One history again: `python -m tests.histories.replay SEED --world nasty --writers 1 --rounds 2 --transactions 25`.

With one writer the statements are the same each time; with several as far as threads allow.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
from sqlalchemy.engine import make_url

from dev.servers.probe import connect_mysql
from dev.servers.session import Session
from tests.histories import campaign
from tests.histories.history import History, Spec
from tests.histories.judge import write_statements
from tests.histories.worlds import WORLDS
from tests.standin import drop_database


@contextmanager
def fresh(server: str, documents: str) -> Iterator[tuple[str, str]]:
    """URLs of an empty database on either side, dropped afterwards."""
    name = f"h_{secrets.token_hex(4)}"
    with connect_mysql(server) as connection:
        connection.cursor().execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
    head, _, options = documents.partition("?")
    try:
        source = make_url(server).set(database=name).render_as_string(hide_password=False)
        yield source, f"{head.rstrip('/')}/{name}?{options}"
    finally:
        with connect_mysql(server) as connection:
            connection.cursor().execute(f"DROP DATABASE IF EXISTS `{name}`")
        drop_database(documents, name)


@click.command()
@click.argument("seed", type=int)
@click.option("--world", type=click.Choice(sorted(WORLDS)), default="nasty")
@click.option("--writers", default=1)
@click.option("--rounds", default=2)
@click.option("--transactions", default=25)
@click.option("--kills", is_flag=True, help="A real sync, killed again and again.")
@click.option("--during-copy", is_flag=True, help="Writers write while the copy runs.")
@click.option("--added", is_flag=True, help="Half of the collections are copied later.")
@click.option("--until", default=1, help="This many seeds, one after the other.")
@click.option("--statements", type=click.Path(path_type=Path), help="Only write the history, and its SQL into a file.")
def main(
    seed: int,
    world: str,
    writers: int,
    rounds: int,
    transactions: int,
    kills: bool,
    during_copy: bool,
    added: bool,
    until: int,
    statements: Path | None,
) -> None:
    """Plays a history and judges its documents."""
    tally = campaign.Tally()
    with ExitStack() as stack:
        servers = stack.enter_context(Session())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for each in range(seed, seed + until):
            spec = Spec(each, world, writers, rounds, transactions)
            with fresh(servers.mysql().url, servers.mongodb().url) as (source, target):
                if statements is not None:
                    _only_write(spec, source, statements)
                elif kills:
                    campaign.play_killed(spec, source, target, folder, tally)
                elif added:
                    campaign.play_added(spec, source, target, tally)
                elif during_copy:
                    campaign.play_next_to_copy(spec, source, target, tally)
                else:
                    campaign.play(spec, source, target, tally)
            click.echo(f"{spec}: {tally}")


def _only_write(spec: Spec, source: str, file: Path) -> None:
    history = History(spec, source)
    try:
        for _ in range(spec.rounds):
            history.write()
    finally:
        history.close()
        write_statements(history, file)


if __name__ == "__main__":
    main()
