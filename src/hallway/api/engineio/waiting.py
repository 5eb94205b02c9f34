"""What waits for a client: all of it while it is little, then the last value of a thing in place of those before it.

It must not know how it is sent in the end.
"""

from __future__ import annotations

from collections.abc import Sequence

from hallway.api.sockets import Packet

WHOLE, WHOLE_BYTES = 250, 250_000
"""As long as no more waits than that, nothing is left out: a burst between two polls arrives as it was."""
MOST = 1000
MOST_BYTES = 8_000_000


class Waiting:
    """Packets in order, those for many and those for this client alone."""

    __slots__ = ("_bytes", "_number", "_own", "_own_bytes", "_packets", "_thin")

    def __init__(self) -> None:
        self._packets: dict[str | int, Packet] = {}
        self._own: dict[str | int, Packet] = {}
        self._own_bytes = 0
        self._bytes = 0
        self._number = 0
        self._thin = False

    def __len__(self) -> int:
        return len(self._packets)

    def add(self, packets: Sequence[Packet]) -> bool:
        """Keep packets for many; whether there was room. When not, only those for this client alone are left."""
        for packet in packets:
            self._put(packet)
            self._look_how_much()
        if len(self._packets) <= MOST and self._bytes <= MOST_BYTES:
            return True
        self._packets = dict(self._own)
        self._bytes = 0
        return False

    def add_own(self, packets: Sequence[Packet], *, counted: bool) -> bool:
        """Keep packets for this client alone; whether there was room. Those that are not counted are kept anyhow."""
        for packet in packets:
            number = self._put(packet)
            if not packet.key:
                self._bytes -= len(packet.text)
                self._own[number] = packet
                self._own_bytes += len(packet.text) if counted else 0
            self._look_how_much()
        return not counted or (len(self._own) <= MOST and self._own_bytes <= MOST_BYTES)

    def _put(self, packet: Packet) -> int:
        self._number += 1
        if self._thin and packet.key:
            self._take_place(packet.key, packet)
        else:
            self._packets[self._number] = packet
        self._bytes += len(packet.text)
        return self._number

    def _look_how_much(self) -> None:
        if not self._thin and (len(self._packets) > WHOLE or self._bytes > WHOLE_BYTES):
            self._thin_out()

    def _take_place(self, key: str | int, packet: Packet) -> None:
        """The packet stands at the end, and the one before it of that key nowhere."""
        old = self._packets.pop(key, None)
        if old is not None:
            self._bytes -= len(old.text)
        self._packets[key] = packet

    def _thin_out(self) -> None:
        """Of all that has a key only the last counts from now on, until everything was taken."""
        self._thin = True
        whole, self._packets = self._packets, {}
        for number, packet in whole.items():
            self._take_place(packet.key or number, packet)

    def take(self) -> list[Packet]:
        """All that waits; afterwards nothing does."""
        packets = list(self._packets.values())
        self._packets.clear()
        self._own.clear()
        self._bytes = self._own_bytes = 0
        self._thin = False
        return packets
