"""Writing: PATCH of a variable through the pimatic door with another value each time, in a small and in a large home.

The hub answers when the value is on the disk; the raw app and pimatic keep it in memory. Each connection writes a
variable of its own. It must not know what else a server does with a write.
"""

import itertools
import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Final

from benchmarks.company import Company
from benchmarks.homes import mixed
from benchmarks.measure import Plan, Sample, summarise
from benchmarks.rounds import in_turns, keep_busy
from benchmarks.servers import Server
from benchmarks.table import COMPARISON, Report, Target, comparison_row, share, times

NAME: Final = "variable-patch"
HOMES: Final = (10, 1000)
WANTED_TIMES: Final = 10
WANTED_PERCENT: Final = 90
FIRST: Final = 10_000_000
"""Values have eight digits, so that every body has the same length."""


class VariableWrites:
    """A Work: each call is the next PATCH of the variable of that connection, answered with its new value."""

    def __init__(self, server: Server, names: Sequence[str]) -> None:
        self._server = server
        self._paths = [f"/api/variables/{name}" for name in names]
        self._numbers = itertools.count(FIRST)
        self._halves = [self._split(path) for path in self._paths]

    def create(self) -> None:
        """Make the variables; a server that has them already refuses, so this is done once."""
        for path in self._paths:
            self._server.expect("POST", path, b'{"type":"value","valueOrExpression":0}')

    def __call__(self, connection: int) -> tuple[bytes, bytes]:
        value = b"%d" % next(self._numbers)
        before, after = self._halves[connection]
        return before + value + after, b'"value":' + value

    def _split(self, path: str) -> tuple[bytes, bytes]:
        body = json.dumps({"type": "value", "valueOrExpression": "########"}).replace('"########"', "########")
        before, _, after = self._server.request("PATCH", path, body.encode()).partition(b"########")
        return before, after


def run(company: Company, plan: Plan, homes: Sequence[int] = HOMES) -> Report:
    """Measure every server in turns; servers are called after the number of their devices."""
    names = [f"bench_{number}" for number in range(plan.connections)]
    with ExitStack() as stack:
        servers: list[Server] = []
        for count in homes:
            opened = stack.enter_context(company.homes(mixed(count)))
            servers += [replace(server, name=f"{server.name} {count}") for server in opened]
        raw = stack.enter_context(company.raw())
        writes = {server.name: VariableWrites(server, names) for server in (*servers, raw)}
        for server in servers:
            writes[server.name].create()
        samples = in_turns(NAME, [*servers, raw], plan, lambda server: _measure(server, plan, writes[server.name]))
    rows = tuple(comparison_row(NAME, name, summary) for name, summary in summarise(samples, "raw").items())
    return Report(COMPARISON, rows, tuple(_targets(samples, homes)))


async def _measure(server: Server, plan: Plan, writes: VariableWrites) -> Sample:
    return await keep_busy(server, plan, writes)


def _targets(samples: dict[str, list[Sample]], homes: Sequence[int]) -> list[Target]:
    small, large = homes[0], homes[-1]
    targets = [
        times(f"{NAME}, {count} devices", samples, (f"hub {count}", f"pimatic {count}"), WANTED_TIMES, by_rate=True)
        for count in homes
    ]
    targets.append(
        share(f"{NAME}, {large} devices, of {small} devices", samples, (f"hub {large}", f"hub {small}"), WANTED_PERCENT)
    )
    return [target for target in targets if target is not None]
