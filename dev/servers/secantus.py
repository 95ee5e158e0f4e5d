"""SecantusDB, a stand-in that speaks MongoDB's wire protocol, for machines without MongoDB.

It is licensed under the GPL. So it lives in a virtual environment of its own, is run as a program over a socket, and is
never imported or shipped.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from dev.servers.installing import HOME, alone, quietly
from dev.servers.model import Unavailable
from dev.servers.probe import identify_mongodb
from dev.servers.process import Folder, Process, free_port

REQUIREMENT = "SecantusDB==0.6.0b17"
PROGRAM_VARIABLE = "MIGRATOR_TEST_SECANTUSD"
SYNC_ON_COMMIT = "--sync-on-commit"
"""Without it a killed process loses its last acknowledged writes, even those with w: majority and j: true."""


def installed_program() -> Path | None:
    """The program named by MIGRATOR_TEST_SECANTUSD, in the PATH or installed by `install`; None when there is none."""
    if named := os.environ.get(PROGRAM_VARIABLE):
        return Path(named)
    if found := shutil.which("secantusd-rs"):
        return Path(found)
    return _program() if _stamp().exists() else None


def install(say: Callable[[str], None]) -> Path:
    """The path of the program, after installing it from PyPI when it isn't there yet.

    Raises:
        Unavailable: pip can't install it here.
    """
    if program := installed_program():
        return program
    home = _stamp().parent
    with alone():
        if not _stamp().exists():
            say(f"installing {REQUIREMENT} into {home}")
            _run([sys.executable, "-m", "venv", "--clear", str(home)])
            pip = [str(home / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
            _run([*pip, "install", "--no-deps", REQUIREMENT])
            _stamp().touch()
    return _program()


class Secantus(Process):
    """The stand-in on a free port of 127.0.0.1; what it acknowledged survives `kill`.

    Raises:
        Unavailable: it can't be started; holds the end of its log.
    """

    def __init__(self, program: Path) -> None:
        folder = Folder("secantus")
        self.port = free_port()
        self.url = f"mongodb://127.0.0.1:{self.port}/?directConnection=true"
        self.found = str(program)
        # An empty configuration keeps the user's own from being read. The sizes suit small machines.
        config = folder.path / "secantusd.toml"
        config.touch()
        command = [str(program), "--config", str(config), "--port", str(self.port), "--log-level", "WARNING"]
        command += ["--storage-path", str(folder.path / "data"), "--cache-size", "512M", "--log-file-max", "256MB"]
        command += [SYNC_ON_COMMIT]
        super().__init__(command, folder, lambda: identify_mongodb(self.url))
        try:
            self.start()
        except BaseException:
            self.stop()
            raise


def _stamp() -> Path:
    return HOME / REQUIREMENT.replace("==", "-").lower() / ".installed"


def _program() -> Path:
    return _stamp().parent / "bin" / "secantusd-rs"


def _run(command: list[str]) -> None:
    done = quietly(command)
    if done.returncode:
        raise Unavailable(f"{REQUIREMENT} can't be installed\n{done.stdout[-1500:]}")
