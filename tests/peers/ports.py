"""Ports of this machine: free ones, and which process listens on one."""

from __future__ import annotations

import random
import socket

import psutil

# below the ports that outgoing connections get: a retry to a dead port of that range may connect to itself
_PORTS = range(20_000, 32_000)


def free_port() -> int:
    while True:
        port = random.choice(_PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def listener(port: int) -> psutil.Process:
    """The process that listens on the port; AssertionError when there is none."""
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and tuple(connection.laddr)[1:] == (port,):
            assert connection.pid is not None
            return psutil.Process(connection.pid)
    raise AssertionError(f"nothing listens on port {port}")
