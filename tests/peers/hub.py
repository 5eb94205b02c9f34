"""What these tests use of the hub that the fixtures `hub` and `start_hub` run, and the configurations they give it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from tests.peers.rest import Rest


class Hub(Protocol):
    """A hallway in a process of its own; `restart` also starts one that was killed, on the same home and port."""

    host: str
    port: int
    password: str
    home: Path

    def restart(self) -> None: ...

    def stop(self) -> int: ...

    def kill(self) -> None: ...


class StartHub(Protocol):
    """Starts a hub with that configuration.yaml in a new home."""

    def __call__(self, configuration: str) -> Hub: ...


def rest(hub: Hub) -> Rest:
    return Rest(hub.host, hub.port, hub.password)


def linked_to(master: Rest, password: str | None = None) -> str:
    """The configuration of a hub that is the slave of that master and has no devices of its own."""
    there = f"host: {master.host}, port: {master.port}, api_password: {password or master.password}"
    return f"links:\n  - {{type: homeassistant, {there}}}\n"


def link_of(other: Rest) -> str:
    """The entity in which a hub shows how it gets on with that other server."""
    return f"link.{other.host.replace('.', '_')}_{other.port}"
