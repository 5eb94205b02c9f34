"""The traces of rules as they are asked for: the last ones from memory, the others from the book of the last weeks.

It must not know where the book is kept, nor who asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from hallway.home.chronicle import TraceBook
from hallway.rules.traces import Trace, Traces

ROUNDED: Final = 0.001
"""Changes that are kept have times of three decimals, traces have them in full."""
_decode = msgspec.json.Decoder(Trace).decode


class Remembered:
    """All traces that are kept. book: set before anybody asks, if there is one."""

    def __init__(self, traces: Traces) -> None:
        self.book: TraceBook | None = None
        self._traces = traces

    async def of(self, rule_id: str, result: str | None, before: int, limit: int) -> list[Trace]:
        """Those of a rule with numbers below `before`, newest first; result: only those that ended so."""
        last = [trace for trace in self._traces.of(rule_id) if trace.id < before and result in {None, trace.result}]
        kept = await self.book.of(rule_id, result, before, limit) if self.book is not None else []
        found = {trace.id: trace for trace in (*_read(kept), *last)}
        return [found[number] for number in sorted(found, reverse=True)[:limit]]

    async def find(self, trace_id: int) -> Trace | None:
        """The one of that number."""
        found = self._traces.find(trace_id)
        if found is None and self.book is not None:
            kept = await self.book.get(trace_id)
            found = next(iter(_read([kept] if kept is not None else [])), None)
        return found

    async def run_at(self, rule_id: str, seq: int | None, before: float) -> Trace | None:
        """The run that the change with that number led to, or the last one up to a time."""
        before += ROUNDED
        found = self._traces.run_at(rule_id, seq, before)
        if self.book is None or (found is not None and found.seq == seq):
            return found
        kept = await self.book.run_at(rule_id, seq, before)
        older = next(iter(_read([kept] if kept is not None else [])), None)
        if found is None or (older is not None and (older.seq == seq or older.at > found.at)):
            return older
        return found


def _read(bodies: Iterable[bytes]) -> list[Trace]:
    """What can no longer be read is left out."""
    found = []
    for body in bodies:
        try:
            found.append(_decode(body))
        except msgspec.DecodeError:
            continue
    return found
