"""Reading: GET of one variable through the pimatic door, with Basic and with the cookie of a session.

It must not know how a server makes the answer; the raw app is given the bytes of the first server to send.
"""

import json
from contextlib import ExitStack
from typing import Final

from benchmarks.company import Company
from benchmarks.homes import mixed
from benchmarks.measure import Plan, Sample, summarise
from benchmarks.rounds import in_turns, keep_busy
from benchmarks.servers import Server, with_session
from benchmarks.table import Report, share_of_raw, times

NAME: Final = "variable"
WANTED_PERCENT: Final = 80
WANTED_TIMES: Final = 5
VARIABLE: Final = "bench_variable"
PATH: Final = f"/api/variables/{VARIABLE}"
GIVEN: Final = {"type": "value", "valueOrExpression": 21.5, "unit": "°C"}
ANSWER: Final = {"variable": {"name": VARIABLE, "readonly": False, "type": "value", "value": 21.5, "unit": "°C"}}
"""For the raw app when no other server takes part."""


def run(company: Company, plan: Plan) -> Report:
    """Measure every server in turns."""
    with ExitStack() as stack:
        homes = stack.enter_context(company.homes(mixed(10)))
        raw = stack.enter_context(company.raw())
        for server in homes:
            server.expect("POST", PATH, json.dumps(GIVEN).encode())
        answer = homes[0].expect("GET", PATH) if homes else json.dumps({**ANSWER, "success": True}).encode()
        raw.expect("PUT", PATH, answer)
        servers = [*homes, *(with_session(server, PATH) for server in homes), raw]
        samples = in_turns(NAME, servers, plan, lambda server: _measure(server, plan))
    report = share_of_raw(f"{NAME} {len(answer)} B", summarise(samples, "raw"), WANTED_PERCENT)
    pairs = (("hub", "pimatic"), ("hub, cookie", "pimatic, cookie"))
    targets = [times(NAME, samples, pair, WANTED_TIMES) for pair in pairs]
    return Report(report.headings, report.rows, (*report.targets, *filter(None, targets)))


async def _measure(server: Server, plan: Plan) -> Sample:
    request = server.request("GET", PATH), f'"{VARIABLE}"'.encode()
    return await keep_busy(server, plan, lambda _: request)
