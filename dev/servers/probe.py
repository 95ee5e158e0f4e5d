"""Asks a server who it is."""

from __future__ import annotations

from dataclasses import dataclass

import pymongo
import pymysql
from sqlalchemy.engine import make_url

from migrator.source.connection.driver import DriverConnection


@dataclass(frozen=True)
class Identity:
    """`MySQL`, `MariaDB`, `MongoDB` or the name of a stand-in for one of them, and its version."""

    product: str
    version: str

    def __str__(self) -> str:
        return f"{self.product} {self.version}"


def connect_mysql(url: str, timeout: float = 5) -> pymysql.Connection[pymysql.cursors.Cursor]:
    """A connection to the server, without a default database. Raises pymysql.MySQLError."""
    parts = make_url(url)
    return DriverConnection(
        host=parts.host or "127.0.0.1",
        port=parts.port or 3306,
        user=parts.username or "root",
        password=parts.password or "",
        connect_timeout=timeout,
        autocommit=True,
    )


def connect_mongodb(url: str, timeout: float = 5) -> pymongo.MongoClient[dict[str, object]]:
    """A client that gives up after `timeout` seconds without a server."""
    return pymongo.MongoClient(url, serverSelectionTimeoutMS=int(timeout * 1000))


def identify_mysql(url: str) -> Identity:
    """Raises pymysql.MySQLError when the server doesn't answer."""
    with connect_mysql(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        row = cursor.fetchone()
    version = str(row[0]) if row else ""
    return Identity("MariaDB" if "mariadb" in version.lower() else "MySQL", version.partition("-")[0])


def identify_mongodb(url: str) -> Identity:
    """Raises pymongo.errors.PyMongoError when the server doesn't answer.

    A stand-in tells MongoDB's version for the drivers' sake; SecantusDB adds its own.
    """
    with connect_mongodb(url) as client:
        info = client.admin.command("buildInfo")
    if "secantusVersion" in info:
        return Identity(
            "SecantusDB", f"{info['secantusVersion']} (a stand-in that speaks as MongoDB {info['version']})"
        )
    return Identity("MongoDB", str(info["version"]))
