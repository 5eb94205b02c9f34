"""A client of Home Assistant's event stream that counts the events of some entities.

It works on plain and on chunked bodies, whose frames cannot look like an event's end. It must not write states.
"""

from benchmarks.audience import Audience, Join, Listener


def stream_clients(entity: str) -> Join:
    """Clients of GET /api/stream for which events count whose entity ids begin so."""
    mark = f'"{entity}'.encode()
    return lambda audience: StreamClient(audience, mark)


class StreamClient(Listener):
    """One client of the stream; an event counts when the mark stands in it."""

    def __init__(self, audience: Audience, mark: bytes) -> None:
        super().__init__(audience)
        self._mark = mark
        self._rest = b""

    def opening(self) -> bytes:
        return self.audience.server.request("GET", "/api/stream")

    def hear(self, data: bytes) -> None:
        if not self.open.done():
            self._read_head(self._rest + data)
            return
        *messages, self._rest = (self._rest + data).split(b"\n\n")
        events = sum(self._mark in message for message in messages)
        if events:
            self.audience.take(self, events)

    def _read_head(self, data: bytes) -> None:
        head, end, body = data.partition(b"\r\n\r\n")
        if end and head[9:12] != b"200":
            self.audience.fail(f"GET /api/stream answered {head[:200]!r}")
        elif b"\n\n" in body:
            self._rest = body.rpartition(b"\n\n")[2]
            self.open.set_result(None)
        else:
            self._rest = data
