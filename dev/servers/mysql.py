"""A private MySQL or MariaDB server from the programs installed on this machine."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pymysql

from dev.servers.model import Unavailable
from dev.servers.probe import identify_mysql
from dev.servers.process import Folder, Process, free_port

SETTINGS = (
    # What a sync needs. Names that only one of MySQL and MariaDB knows are "loose": ignored by the other.
    "--server-id=1",
    "--log-bin=binlog",
    "--binlog-format=ROW",
    "--binlog-row-image=FULL",
    "--binlog-row-metadata=FULL",
    "--loose-gtid-mode=ON",
    "--loose-enforce-gtid-consistency=ON",
    "--character-set-server=utf8mb4",
    # MySQL's default; MariaDB's is 16 MB, too small for rows that tests are made of.
    "--max-allowed-packet=64M",
    # Without names to look up, '%' and addresses are the only hosts in accounts.
    "--skip-name-resolve",
    # Still survives the end of the process; only a power cut would lose something.
    "--innodb-flush-log-at-trx-commit=2",
    "--sync-binlog=0",
)
"""Arguments that MySQL 8 and later and MariaDB 10.5 and later all take."""

_PLACES = "/usr/sbin:/usr/libexec:/usr/local/sbin:/usr/local/mysql/bin:/opt/homebrew/bin:/usr/bin"


@dataclass(frozen=True)
class Programs:
    """`server` is mysqld or mariadbd, `installer` creates MariaDB's system tables (MySQL's server does it itself)."""

    server: str
    installer: str | None


def find_programs() -> Programs:
    """MySQL's or MariaDB's programs, in the PATH or the usual places; MySQL first.

    Raises:
        Unavailable: there is none.
    """
    found = [program for name in ("mysqld", "mariadbd") if (program := _which(name))]
    for server in found:
        if not _is_mariadb(server):
            return Programs(server, None)
    for server in found:
        if installer := _which("mariadb-install-db") or _which("mysql_install_db"):
            return Programs(server, installer)
    if found:
        raise Unavailable(f"there is {found[0]}, but no mariadb-install-db next to it")
    raise Unavailable("no mysqld or mariadbd on this machine")


class LocalMysql(Process):
    """A server with row-based binary log, on a free port of 127.0.0.1, with a random password for root.

    `options` are further arguments, which win over those that all have.

    Raises:
        Unavailable: it can't be prepared or started; holds the end of its log.
    """

    def __init__(self, programs: Programs, options: Sequence[str] = ()) -> None:
        folder = Folder("mysql")
        self._socket = folder.path / "mysql.sock"
        self._password = secrets.token_hex(8)
        self.port = free_port()
        self.url = f"mysql://root:{self._password}@127.0.0.1:{self.port}"
        self.found = programs.server
        data = folder.path / "data"
        # A MariaDB that starts deletes the temporary tables that it finds in its tmpdir: in /tmp those of others, too.
        scratch = folder.path / "tmp"
        scratch.mkdir()
        # mysqld refuses to be root unless told to; a root shell in a container is a usual place for tests.
        root = ["--user=root"] if os.geteuid() == 0 else []
        common = ["--no-defaults", f"--datadir={data}", f"--tmpdir={scratch}", *root]
        command = [
            programs.server,
            *common,
            f"--socket={self._socket}",
            f"--pid-file={folder.path / 'mysql.pid'}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            "--loose-mysqlx=OFF",
            "--loose-secure-file-priv=",
            *SETTINGS,
            *options,
        ]
        super().__init__(command, folder, self._answers_on_socket)
        try:
            if programs.installer:
                folder.run(
                    [programs.installer, *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
                )
            else:
                folder.run([programs.server, *common, *options, "--initialize-insecure"])
            self.start()
            self._create_user()
            identify_mysql(self.url)
        except BaseException:
            self.stop()
            raise

    def _connect(self) -> pymysql.Connection[pymysql.cursors.Cursor]:
        # Through the socket in our folder: whoever took the port meanwhile can't be mistaken for our server.
        return pymysql.connect(unix_socket=str(self._socket), user="root", autocommit=True)

    def _answers_on_socket(self) -> None:
        self._connect().close()

    def _create_user(self) -> None:
        with self._connect() as connection, connection.cursor() as cursor:
            cursor.execute("SET SESSION sql_log_bin = 0")
            cursor.execute("DROP USER IF EXISTS root@'127.0.0.1'")
            cursor.execute("CREATE USER root@'127.0.0.1' IDENTIFIED BY %s", [self._password])
            cursor.execute("GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION")


def _which(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path=_PLACES)


def _is_mariadb(server: str) -> bool:
    said = subprocess.run([server, "--no-defaults", "--version"], capture_output=True, text=True, check=False)
    return "MariaDB" in said.stdout or Path(server).name == "mariadbd"
