"""`make demo`: a shop moves from MySQL to MongoDB documents, one step after the other, on throwaway servers."""

from __future__ import annotations

import secrets
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import click
import pymysql
from pymongo.errors import PyMongoError
from rich.console import Console
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text
from sqlalchemy.engine import make_url

from dev.servers.model import Unavailable
from dev.servers.probe import connect_mongodb, connect_mysql
from dev.servers.session import Session, to_stderr
from examples.demo_live import show_live_changes
from examples.demo_order import read_order, show_order

ROOT = Path(__file__).parents[1]
MODULES = {"migrator": "migrator", "sample": "sample_schema.generate"}


class Demo:
    """Tells what happens, and runs the commands that make it happen.

    Args:
        source: URL of the shop's database.
        target: URL of the database for the documents.
        console: where to tell it.
    """

    def __init__(self, source: str, target: str, console: Console) -> None:
        self._console = console
        self._variables = {"$SOURCE": source, "$TARGET": target}
        self._step = 0

    def introduce(self, servers: Session) -> None:
        """Which servers are used, and what the variables in the commands stand for."""
        self._console.print(f"MySQL side:   {servers.describe_mysql()}", highlight=False, soft_wrap=True)
        self._console.print(f"MongoDB side: {servers.describe_mongodb()}", highlight=False, soft_wrap=True)
        for name, value in self._variables.items():
            url = make_url(value).render_as_string(hide_password=True)
            self._console.print(f"{name[1:]}={url}", style="dim", highlight=False, soft_wrap=True)

    def step(self, title: str, story: str, module: str, *arguments: str) -> None:
        """One numbered step: says why, shows the command, runs it.

        Raises:
            click.ClickException: the command did not end well.
        """
        self.headline(title, story)
        shown = " ".join(argument if argument.startswith("$") else shlex.quote(argument) for argument in arguments)
        name = "migrator" if module == MODULES["migrator"] else f"python -m {module}"
        self._console.print(Text(f"$ {name} {shown}", style="bold green"), soft_wrap=True)
        command = [sys.executable, "-m", module, *self.filled(arguments)]
        began = time.monotonic()
        code = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode
        if code:
            raise click.ClickException(f"the command above ended with exit code {code} (docs/exit-codes.md)")
        self._console.print(f"({time.monotonic() - began:.1f} s)", style="dim", highlight=False)

    def filled(self, arguments: Sequence[str]) -> tuple[str, ...]:
        """Arguments with the URLs that the variables stand for."""
        return tuple(self._variables.get(argument, argument) for argument in arguments)

    def headline(self, title: str, story: str) -> None:
        """Begins a step."""
        self._step += 1
        self._console.print()
        self._console.print(Rule(f"[bold]{self._step}. {title}[/]", align="left"))
        self._console.print(story)


def tell(source: str, target: str, scale: int, servers: Session, console: Console) -> None:
    """The whole story."""
    demo = Demo(source, target, console)
    demo.introduce(servers)
    shop, ends = MODULES["sample"], ("--source", "$SOURCE", "--target", "$TARGET", "--mappings", "mappings")
    migrator = MODULES["migrator"]
    demo.step(
        "A shop in MySQL",
        "24 tables as they look after ten years: foreign keys and missing ones, zero dates, link tables, soft deletes.",
        *(shop, "--url", "$SOURCE", "--scale", str(scale)),
    )
    demo.step(
        "Are the mappings right?",
        "The files in mappings/ describe one collection each. They are checked against the tables; nothing is changed.",
        *(migrator, "check", "--source", "$SOURCE", "--mappings", "mappings"),
    )
    demo.step(
        "Are the servers fit for it?",
        "What a migration needs of both servers: versions, rights, settings, the change log.",
        *(migrator, "doctor", *ends),
    )
    demo.step(
        "What would be done?",
        "A plan names the collections, their sizes and indexes, and what will not be quite the same. Nothing changes.\n"
        "Without --collection it is about all of them.",
        *(migrator, "plan", "--collection", "orders", *ends),
    )
    demo.step(
        "Do it, for all collections",
        "The plan is shown once more, whole, then carried out. Interrupted, the same command goes on where it stopped.",
        *(migrator, "apply", "--yes", *ends),
    )
    demo.headline(
        "One order, before and after",
        "Where the shop joined many tables to show an order, it now reads one document.",
    )
    order = read_order(source, target)
    show_order(order, console)
    demo.headline(
        "Live changes",
        "The shop goes on. `migrator sync` reads MySQL's change log and keeps the documents in step.",
    )
    show_live_changes(source, target, order.key, console, demo.filled(ends))
    demo.step(
        "How is it doing?",
        "What a sync reports of itself stands in the target, for whoever asks.",
        *(migrator, "status", "--target", "$TARGET"),
    )


@click.command()
@click.option("--scale", default=1, show_default=True, help="Size of the shop; 1 is about 11,000 rows.")
@click.option("--keep", is_flag=True, help="Keep servers and data until Ctrl-C, to look around.")
def main(scale: int, keep: bool) -> None:
    """Move a sample shop from MySQL to MongoDB, step by step, and clean up afterwards."""
    signal.signal(signal.SIGTERM, _leave)
    console = Console()
    name = f"migrator_demo_{secrets.token_hex(3)}"
    with Session() as servers:
        try:
            mysql, mongodb = servers.mysql().url, servers.mongodb().url
        except Unavailable as reason:
            raise click.ClickException(str(reason)) from reason
        source = make_url(mysql).set(database=name).render_as_string(hide_password=False)
        head, _, options = mongodb.partition("?")
        target = f"{head.rstrip('/')}/{name}?{options}"
        try:
            tell(source, target, scale, servers, console)
            if keep:
                _wait(source, target)
        finally:
            _drop(mysql, mongodb, name)
    console.print()
    console.print(Panel(_next_steps(), title="What next", title_align="left"))


def _next_steps() -> Text:
    return Text.from_markup(
        "Servers and data of this demo are gone again.\n\n"
        "[bold]make demo ARGS=--keep[/]        the same, and the servers stay until Ctrl-C, to look around\n"
        "[bold]mappings/orders.yaml[/]         how the order above is described; change it and run the demo again\n"
        "[bold]docs/sample.md[/]               the shop's tables, and the oddities in them\n"
        "[bold].venv/bin/migrator --help[/]    all commands, to try it on a database of your own",
    )


def _wait(source: str, target: str) -> None:
    click.echo(f"\nThe servers stay until Ctrl-C:\n  {source}\n  {target}")
    try:
        signal.pause()
    except KeyboardInterrupt:
        click.echo()


def _drop(mysql: str, mongodb: str, name: str) -> None:
    """Servers that the user gave keep nothing of the demo either."""
    try:
        with connect_mysql(mysql) as connection, connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")
        with connect_mongodb(mongodb) as client:
            client.drop_database(name)
    except (pymysql.MySQLError, PyMongoError) as problem:
        to_stderr(f"the demo's databases {name} could not be dropped: {problem}")


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
