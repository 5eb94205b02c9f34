"""Ports of this machine: free ones, and which process listens on one."""

from __future__ import annotations

import functools
import os
import random
import socket
from collections.abc import Iterator
from itertools import cycle

import psutil

# below the ports that outgoing connections get: they would take one that a hub which is being restarted wants again,
# and a retry to a dead port of that range may connect to itself
_FIRST, _EACH, _WORKERS = 16_000, 2_000, 8


@functools.cache
def _ports() -> Iterator[int]:
    """One after the other, from anywhere on: none is given twice, nor by two processes that run tests side by side."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first, begin = _FIRST + worker % _WORKERS * _EACH, random.randrange(_EACH)
    return cycle([first + (begin + number) % _EACH for number in range(_EACH)])


def free_port() -> int:
    for port in _ports():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("all ports are taken")


def listener(port: int) -> psutil.Process:
    """The process that listens on the port; AssertionError when there is none."""
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and tuple(connection.laddr)[1:] == (port,):
            assert connection.pid is not None
            return psutil.Process(connection.pid)
    raise AssertionError(f"nothing listens on port {port}")
