"""MariaDB from the system's packages: for a machine that has neither a server nor Docker."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable

from dev.servers.model import Unavailable

# Only the programs: the package mariadb-server would also start a service on port 3306.
PACKAGES = ("mariadb-server-core", "mariadb-client-core")


def install_mariadb(say: Callable[[str], None]) -> None:
    """Installs MariaDB's programs with apt-get.

    Raises:
        Unavailable: not root, or not a system with apt-get, or apt-get failed; says what to install.
    """
    install = ["apt-get", "install", "-y", "--no-install-recommends", *PACKAGES]
    if shutil.which("apt-get") is None:
        raise Unavailable("please install MySQL 8 or MariaDB 10.5 or later so that mysqld or mariadbd can be found")
    if os.geteuid() != 0:
        raise Unavailable(f"please install MariaDB's programs (no service is started):\n    sudo {' '.join(install)}")
    say(f"installing {' and '.join(PACKAGES)} from the system's packages")
    for command in (["apt-get", "update", "-qq"], install):
        done = subprocess.run(
            command,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Unavailable(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout[-1500:]}")
