"""Servers from the system's packages: for a machine that has neither the server nor Docker."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence

from dev.servers.installing import alone, quietly
from dev.servers.model import Unavailable

# Only the programs: the package mariadb-server would also start a service on port 3306.
PACKAGES = ("mariadb-server-core", "mariadb-client-core")


def install_mariadb(say: Callable[[str], None]) -> None:
    """Installs MariaDB's programs with apt-get.

    Raises:
        Unavailable: not root, or not a system with apt-get, or apt-get failed; says what to install.
    """
    if shutil.which("apt-get") is None:
        raise Unavailable("please install MySQL 8 or MariaDB 10.5 or later so that mysqld or mariadbd can be found")
    install(PACKAGES, say)


def install(names: Sequence[str], say: Callable[[str], None]) -> None:
    """Installs packages with apt-get.

    Raises:
        Unavailable: not root, or not a system with apt-get, or apt-get failed; says what to install.
    """
    command = ["apt-get", "install", "-y", "--no-install-recommends", *names]
    if shutil.which("apt-get") is None:
        raise Unavailable(f"please install {' and '.join(names)}")
    if os.geteuid() != 0:
        raise Unavailable(f"please install what is missing (no service is needed):\n    sudo {' '.join(command)}")
    say(f"installing {' and '.join(names)} from the system's packages")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    with alone():
        for step in (["apt-get", "update", "-qq"], command):
            done = quietly(step, environment)
            if done.returncode:
                raise Unavailable(f"{' '.join(step)} ended with {done.returncode}\n{done.stdout[-1500:]}")
