"""Which way of having a server is tried first.

For MySQL and MongoDB alike: the URL that the user gave; a container; programs on this machine; programs that can be
installed. A URL that was given is never passed over: when that server doesn't answer, that is an error.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pymongo.errors
import pymysql

from dev.servers import containers, packages
from dev.servers.model import Given, Server, Unavailable
from dev.servers.mongod import LocalMongod, find_mongod
from dev.servers.mysql import LocalMysql, find_programs
from dev.servers.probe import identify_mongodb, identify_mysql
from dev.servers.secantus import Secantus, install

MYSQL_VARIABLE = "MIGRATOR_TEST_MYSQL_URL"
MONGODB_VARIABLE = "MIGRATOR_TEST_MONGODB_URL"

Say = Callable[[str], None]
"""Takes a line for the user."""
StandIn = Callable[[Path], Server]
"""Starts a stand-in for MongoDB from the path of its program."""


def mysql(say: Say, environ: Mapping[str, str] = os.environ) -> Server:
    """The MySQL or MariaDB server to use.

    Raises:
        Unavailable: there is none, and none can be had; says what was tried.
    """
    if url := environ.get(MYSQL_VARIABLE):
        try:
            identify_mysql(url)
        except (pymysql.MySQLError, ValueError) as problem:
            raise Unavailable(f"the server given by {MYSQL_VARIABLE} does not answer: {problem}") from problem
        return Given(url, f"given by {MYSQL_VARIABLE}")
    return private_mysql(say)


def mongodb(say: Say, environ: Mapping[str, str] = os.environ, stand_in: StandIn = Secantus) -> Server:
    """The MongoDB server, or stand-in for one, to use.

    Args:
        stand_in: starts the stand-in, where there is no MongoDB.

    Raises:
        Unavailable: there is none, and none can be had; says what was tried.
    """
    if url := environ.get(MONGODB_VARIABLE):
        try:
            identify_mongodb(url)
        except (pymongo.errors.PyMongoError, ValueError) as problem:
            raise Unavailable(f"the server given by {MONGODB_VARIABLE} does not answer: {problem}") from problem
        return Given(url, f"given by {MONGODB_VARIABLE}")
    return private_mongodb(say, stand_in)


def private_mysql(say: Say) -> Server:
    """A MySQL or MariaDB server of our own, that may be killed. Raises Unavailable."""

    def local() -> Server:
        return LocalMysql(find_programs())

    def packaged() -> Server:
        packages.install_mariadb(say)
        return LocalMysql(find_programs())

    return _first("MySQL", [containers.mysql_container, local, packaged], say)


def private_mongodb(say: Say, stand_in: StandIn = Secantus) -> Server:
    """A MongoDB server, or stand-in for one, of our own, that may be killed. Raises Unavailable."""

    def local() -> Server:
        return LocalMongod(find_mongod())

    def instead() -> Server:
        return stand_in(install(say))

    return _first("MongoDB", [containers.mongodb_container, local, instead], say)


def _first(name: str, ways: Sequence[Callable[[], Server]], say: Say) -> Server:
    reasons = []
    for way in ways:
        try:
            return way()
        except Unavailable as reason:
            reasons.append(str(reason))
            if way is not ways[-1]:
                say(f"{name}: {reason}; trying the next way")
    raise Unavailable(f"no {name} server could be had:\n" + "\n".join(f"  - {reason}" for reason in reasons))
