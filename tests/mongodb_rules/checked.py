"""A stand-in with the checker in front of it: to its users it is one server."""

from __future__ import annotations

import sys
from pathlib import Path

from dev.servers.probe import identify_mongodb
from dev.servers.process import Folder, Process, free_port
from dev.servers.secantus import Secantus

_ROOT = Path(__file__).parents[2]


class CheckedSecantus(Secantus):
    """Its `url` leads through the checker, `direct_url` past it. The checker stays while the server is killed."""

    def __init__(self, program: Path) -> None:
        super().__init__(program)
        self.direct_url = self.url
        port = free_port()
        self.url = self.url.replace(f":{self.port}/", f":{port}/")
        command = [sys.executable, "-c", _START.format(str(_ROOT)), str(port), str(self.port)]
        self._checker = Process(command, Folder("rules"), lambda: identify_mongodb(self.url))
        try:
            self._checker.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        super().stop()
        self._checker.stop()


# The process runs in a folder of its own and gets no PYTHONPATH.
_START = "import sys; sys.path.insert(0, {!r}); import runpy; runpy.run_module('tests.mongodb_rules', alter_sys=True)"
