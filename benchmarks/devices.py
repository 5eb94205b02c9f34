"""Reading much: GET of all devices of a home of 1000 through the pimatic door.

It must not know how a server makes the answer; the raw app is given the bytes of the first server to send.
"""

import json
from contextlib import ExitStack
from dataclasses import replace
from typing import Final

from benchmarks.company import Company
from benchmarks.homes import mixed
from benchmarks.measure import Plan, Sample, summarise
from benchmarks.rounds import in_turns, keep_busy
from benchmarks.servers import Server
from benchmarks.table import Report, share_of_raw, times

NAME: Final = "devices"
PATH: Final = "/api/devices"
DEVICES: Final = 1000
CONNECTIONS: Final = 8
"""At most: with more, the answers under way would not fit into a cache, whoever sends them."""

WANTED_PERCENT: Final = 75
WANTED_TIMES: Final = 25
STAND_IN: Final = "x" * 800
"""What the raw app says of a device when no other server takes part."""


def run(company: Company, plan: Plan, devices: int = DEVICES) -> Report:
    """Measure every server in turns."""
    plan = replace(plan, connections=min(plan.connections, CONNECTIONS))
    with ExitStack() as stack:
        home = mixed(devices)
        homes = stack.enter_context(company.homes(home))
        raw = stack.enter_context(company.raw())
        stand_in = json.dumps({"devices": [{"id": each.id, "config": STAND_IN} for each in home], "success": True})
        answer = homes[0].expect("GET", PATH) if homes else stand_in.encode()
        raw.expect("PUT", PATH, answer)
        samples = in_turns(NAME, [*homes, raw], plan, lambda server: _measure(server, plan, home[-1].id))
    report = share_of_raw(f"{NAME} {len(answer) / 1000:.0f} kB", summarise(samples, "raw"), WANTED_PERCENT)
    target = times(NAME, samples, ("hub", "pimatic"), WANTED_TIMES)
    return Report(report.headings, report.rows, (*report.targets, *([target] if target is not None else [])))


async def _measure(server: Server, plan: Plan, last: str) -> Sample:
    request = server.request("GET", PATH), f'"{last}"'.encode()
    return await keep_busy(server, plan, lambda _: request)
