"""Events that go round: hubs that forward to each other and do not know the header with the hops it has passed.

Recognised by what they say: the same type and data from the network, again and again within seconds. It must not know
where events come from nor where they would go.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping
from hashlib import blake2b

from hallway.clock import Clock
from hallway.home.values import Value, encode_sorted

log = logging.getLogger(__name__)

MOST_ALIKE = 30
WITHIN = 10.0
STOPPED_FOR = 60.0
MOST_KNOWN = 1000
SILENT_FOR = 600.0
"""Seconds without a stopped event after which the next one is logged again."""
_TIMES = frozenset({"last_changed", "last_updated"})


class _Seen:
    """How often an event came since then; until when it is stopped."""

    __slots__ = ("count", "since", "stopped_until")

    def __init__(self, since: float) -> None:
        self.since = since
        self.count = 0
        self.stopped_until = 0.0


class LoopGuard:
    """Counts events that came from the network and would go out to it again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: OrderedDict[bytes, _Seen] = OrderedDict()
        self._silent_until = 0.0

    def __len__(self) -> int:
        return len(self._seen)

    def stops(self, event_type: str, data: Mapping[str, Value]) -> str | None:
        """None: it may go out. Otherwise it must not: why, or an empty text when that was said already."""
        now = self._clock.monotonic()
        seen = self._remembered(_digest(event_type, data), now)
        if now < seen.stopped_until:
            return ""
        if now - seen.since > WITHIN:
            seen.since, seen.count = now, 0
        seen.count += 1
        if seen.count <= MOST_ALIKE:
            return None
        seen.stopped_until = now + STOPPED_FOR
        why = (
            f"event {event_type} came in more than {MOST_ALIKE} times within {WITHIN:g} s with the same data, as if it "
            f"went round; it is not forwarded for {STOPPED_FOR:g} s"
        )
        self._log(why, now)
        return why

    def _remembered(self, digest: bytes, now: float) -> _Seen:
        seen = self._seen.pop(digest, None) or _Seen(now)
        self._seen[digest] = seen
        if len(self._seen) > MOST_KNOWN:
            self._seen.popitem(last=False)
        return seen

    def _log(self, why: str, now: float) -> None:
        if now >= self._silent_until:
            log.warning("%s. Let only one of two hubs forward to the other; others are not logged", why)
        self._silent_until = now + SILENT_FOR


def _digest(event_type: str, data: Mapping[str, Value]) -> bytes:
    """The same for the same event; times of states do not count, since a hub on the way may write its own."""
    said = {name: _timeless(value) for name, value in data.items()}
    return blake2b(encode_sorted([event_type, said]), digest_size=16).digest()


def _timeless(value: Value) -> Value:
    if isinstance(value, dict):
        return {name: inner for name, inner in value.items() if name not in _TIMES}
    return value
