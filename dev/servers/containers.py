"""Servers in Docker containers, through testcontainers."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Callable

import docker
import docker.errors
import requests
from testcontainers.core.container import DockerContainer

from dev.servers.guard import Guard
from dev.servers.model import Unavailable
from dev.servers.mongod import REPLICA_SET, become_primary
from dev.servers.mysql import SETTINGS
from dev.servers.probe import identify_mongodb, identify_mysql
from dev.servers.process import START_SECONDS, free_port
from dev.servers.secantus import SYNC_ON_COMMIT

MYSQL_IMAGE_VARIABLE = "MIGRATOR_TEST_MYSQL_IMAGE"
MONGODB_IMAGE_VARIABLE = "MIGRATOR_TEST_MONGODB_IMAGE"
_SILENCE_SECONDS = 60
"""A pull that reports no progress for so long is given up."""


def mysql_container() -> Container:
    """MySQL from mysql:8.4 or the image named by MIGRATOR_TEST_MYSQL_IMAGE (MySQL or MariaDB).

    Raises:
        Unavailable: no Docker engine, no such image, or it doesn't start.
    """
    image = os.environ.get(MYSQL_IMAGE_VARIABLE, "mysql:8.4")
    _default_command(image)
    password = secrets.token_hex(8)
    host_port = free_port()
    container = (
        DockerContainer(image)
        .with_env("MYSQL_ROOT_PASSWORD", password)
        .with_command(list(SETTINGS))
        .with_bind_ports(3306, host_port)
    )
    return Container(container, image, 3306, f"mysql://root:{password}@{{address}}", identify_mysql)


def mongodb_container() -> Container:
    """MongoDB from mongo:8 or the image named by MIGRATOR_TEST_MONGODB_IMAGE, as a replica set of one.

    Raises:
        Unavailable: no Docker engine, no such image, or it doesn't start.
    """
    image = os.environ.get(MONGODB_IMAGE_VARIABLE, "mongo:8")
    # An image that doesn't run mongod is a stand-in: it is started as it is and needs no replica set.
    command = _default_command(image)
    is_mongod = "mongod" in command
    container = DockerContainer(image).with_bind_ports(27017, free_port())
    if is_mongod:
        container = container.with_command(["mongod", "--replSet", REPLICA_SET, "--bind_ip_all"])
    elif command and "secantus" in command[0]:
        container = container.with_command([SYNC_ON_COMMIT])
    url = "mongodb://{address}/?directConnection=true"
    answers = (lambda at: become_primary(at, "127.0.0.1:27017")) if is_mongod else identify_mongodb
    return Container(container, image, 27017, url, answers)


class Container:
    """A server in a container with a fixed port of the host, so that its URL survives `kill` and `start`.

    Args:
        container: not started yet.
        image: its name.
        port: of the server inside the container.
        url: with `{address}` where host and port belong.
        answers: raises any exception as long as the server at the URL doesn't answer.

    Raises:
        Unavailable: it doesn't start; holds the end of its log.
    """

    def __init__(
        self, container: DockerContainer, image: str, port: int, url: str, answers: Callable[[str], object]
    ) -> None:
        self._container = container
        self._answers = answers
        self._guard = Guard()
        self.found = f"container {image}"
        name = f"migrator-{secrets.token_hex(6)}"
        container.with_name(name)
        self._guard.container(name)
        try:
            container.start()
            # "localhost" may mean ::1 to one driver and 127.0.0.1 to another.
            host = container.get_container_host_ip().replace("localhost", "127.0.0.1")
            self.url = url.format(address=f"{host}:{container.get_exposed_port(port)}")
            self._wait()
        except (docker.errors.DockerException, requests.RequestException) as problem:
            self.stop()
            raise Unavailable(f"the image {image} can't be run: {problem}") from problem
        except BaseException:
            self.stop()
            raise

    def kill(self) -> None:
        """Ends the server at once, as a power cut would; its data stays."""
        self._container.get_wrapped_container().kill()

    def start(self) -> None:
        """Starts a killed server again with the same URL and data."""
        self._container.get_wrapped_container().start()
        self._wait()

    def stop(self) -> None:
        """Removes the container and its data."""
        with contextlib.suppress(docker.errors.NotFound):
            self._container.stop()
        self._guard.release()

    def _wait(self) -> None:
        wrapped = self._container.get_wrapped_container()
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._answers(self.url)
            except Exception as not_yet:
                wrapped.reload()
                late = time.monotonic() > deadline
                if late or wrapped.status in ("exited", "dead"):
                    log = wrapped.logs(tail=15).decode(errors="replace")
                    reason = f"did not answer within {START_SECONDS:.0f} s" if late else "ended while starting"
                    raise Unavailable(f"{self.found} {reason} ({not_yet})\n{log}") from not_yet
                time.sleep(0.2)
            else:
                return


def _default_command(image: str) -> list[str]:
    """Entrypoint and command of an image, after pulling the image when it isn't there.

    Raises:
        Unavailable: no Docker engine answers, or the image can't be had.
    """
    try:
        with contextlib.closing(docker.from_env(timeout=_SILENCE_SECONDS)) as client:
            client.ping()
            try:
                found = client.images.get(image)
            except docker.errors.ImageNotFound:
                found = client.images.pull(image)
            config = found.attrs["Config"]
            return [*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])]
    except docker.errors.ImageNotFound as problem:
        raise Unavailable(f"Docker has no image {image} and can't pull it: {problem.explanation}") from problem
    except docker.errors.APIError as problem:
        raise Unavailable(f"Docker can't pull the image {image}: {problem.explanation}") from problem
    except (docker.errors.DockerException, requests.RequestException) as problem:
        raise Unavailable("no Docker engine answers") from problem
