"""Which process this is, and whether another one of the same machine still lives. Linux; elsewhere "not known"."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process of some machine.

    Attributes:
        host: the machine's name, for people.
        machine: boot and PID namespace, in which `pid` means something; "" when not known.
        pid: process id.
        born: start time in the kernel's own unit, since process ids are used again; "" when not known.
    """

    host: str
    machine: str
    pid: int
    born: str


def this_process() -> ProcessId:
    return ProcessId(socket.gethostname(), _machine(), os.getpid(), _born(os.getpid()) or "")


def is_dead(process: ProcessId) -> bool:
    """True only when it is sure: the process was of this machine and is no more."""
    return is_known(process) and _born(process.pid) != process.born


def is_known(process: ProcessId) -> bool:
    """Whether this machine can tell if the process lives."""
    machine = _machine()
    return bool(machine) and process.machine == machine and bool(process.born)


def _machine() -> str:
    # Containers may share a host name and even a boot, but not a PID namespace.
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _born(pid: int) -> str | None:
    """Field 22 of /proc/PID/stat (proc(5)); None for a process that has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The second field is the program's name in parentheses and may hold anything.
    fields = stat.rpartition(")")[2].split()
    state, born = fields[0], fields[19]
    return None if state in "ZX" else born
