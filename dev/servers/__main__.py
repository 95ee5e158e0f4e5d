"""`python -m dev.servers`: throwaway servers for a shell.

- `show` starts both servers, prints their URLs as shell exports and keeps them until Ctrl-C;
- `run -- COMMAND …` starts both, runs the command with their URLs in its environment, stops them, and ends with the
  command's exit code;
- `prepare` starts and stops both, so that whatever has to be installed is.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from types import FrameType

import click

from dev.servers.guard import Guard
from dev.servers.model import Unavailable
from dev.servers.session import Session, to_stderr


@click.group()
def main() -> None:
    """Throwaway MySQL and MongoDB servers."""
    signal.signal(signal.SIGTERM, _leave)


@main.command()
def show() -> None:
    """Start both servers, print their URLs, keep them until Ctrl-C."""
    with Session() as servers:
        for name, url in _started(servers).items():
            click.echo(f"export {name}={shlex.quote(url)}")
        sys.stdout.flush()
        to_stderr("Ctrl-C stops them")
        try:
            signal.pause()
        except KeyboardInterrupt:
            to_stderr("stopped")


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(command: tuple[str, ...]) -> None:
    """Run COMMAND with the servers' URLs in its environment."""
    with Session() as servers:
        code = _run(command, {**os.environ, **_started(servers)})
    sys.exit(code if code >= 0 else 128 - code)


@main.command()
def prepare() -> None:
    """Install what the servers need, and see that they start."""
    with Session() as servers:
        _started(servers)


def _started(servers: Session) -> dict[str, str]:
    try:
        variables = servers.variables()
    except Unavailable as reason:
        servers.close()
        raise click.ClickException(str(reason)) from reason
    to_stderr(f"MySQL: {servers.describe_mysql()}")
    to_stderr(f"MongoDB: {servers.describe_mongodb()}")
    return variables


def _run(command: tuple[str, ...], environment: dict[str, str]) -> int:
    """The command's exit code, negative when a signal ended it. SIGTERM is passed on to the command."""
    children: list[subprocess.Popen[bytes]] = []
    asked: list[int] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        asked.append(number)
        for child in children:
            child.send_signal(number)

    signal.signal(signal.SIGTERM, pass_on)
    child = subprocess.Popen(command, env=environment)
    children.append(child)
    for number in asked:  # what came while the child was being started
        child.send_signal(number)
    guard = Guard()
    guard.process(child.pid)
    while True:
        try:
            code = child.wait()
        except KeyboardInterrupt:
            continue  # the terminal sent it to the child too
        guard.release()
        return code


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
