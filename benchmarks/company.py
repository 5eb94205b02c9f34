"""Who takes part in the benchmarks of the pimatic door: the hub, the raw app, Node's socket.io, pimatic itself.

Each benchmark opens the homes that it needs. It must not know what is asked there.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from benchmarks import peers
from benchmarks.homes import Device, basic
from benchmarks.peers import MissingPeer, Program
from benchmarks.servers import Server, run_hub, run_node, run_pimatic, run_raw


@dataclass(frozen=True, slots=True)
class Company:
    """Where servers run and which of them there are; None for what is not installed or not wanted."""

    core: int | None
    with_hub: bool = True
    node: Program | None = None
    pimatic: Program | None = None

    @contextmanager
    def homes(self, devices: tuple[Device, ...]) -> Iterator[list[Server]]:
        """The hub and pimatic, as far as they take part, each in a new home with these devices."""
        with ExitStack() as stack:
            servers: list[Server] = []
            if self.with_hub:
                servers.append(stack.enter_context(run_hub(self.core, devices, pimatic_door=True)))
            if self.pimatic is not None:
                servers.append(stack.enter_context(run_pimatic(self.core, self.pimatic, devices)))
            yield servers

    @contextmanager
    def raw(self) -> Iterator[Server]:
        """The raw app, asked with the same credentials as the homes."""
        with run_raw(self.core) as server:
            yield replace(server, credential=("Authorization", basic()))

    @contextmanager
    def socket_yardstick(self) -> Iterator[list[Server]]:
        """Node's socket.io, if it is installed."""
        with ExitStack() as stack:
            yield [stack.enter_context(run_node(self.core, self.node))] if self.node is not None else []


def gather(core: int | None, *, with_hub: bool, with_node: bool, with_pimatic: bool) -> Company:
    """Install what is wanted. Without Node's socket.io the run goes on, without pimatic it does not: MissingPeer."""
    node = _node() if with_node else None
    return Company(core, with_hub, node, peers.pimatic() if with_pimatic else None)


def _node() -> Program | None:
    try:
        return peers.socket_io()
    except MissingPeer as error:
        print(f"Node's socket.io is left out: {error}", file=sys.stderr)
        return None
