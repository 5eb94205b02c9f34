"""Reading: GET of one state of some 330 bytes on keep-alive connections, opened by the X-HA-Access header.

It must not know how a server makes the answer; the raw app is given the hub's bytes to send.
"""

import json
from collections.abc import Sequence
from typing import Final

from benchmarks.measure import Plan, Sample, summarise
from benchmarks.rounds import in_turns, keep_busy
from benchmarks.servers import Server
from benchmarks.table import Report, share_of_raw

NAME: Final = "get-state"
WANTED_PERCENT: Final = 80
ENTITY: Final = "sensor.bench_state"
PATH: Final = f"/api/states/{ENTITY}"
STATE: Final = {
    "state": "21.5",
    "attributes": {
        "friendly_name": "Temperature of the living room",
        "unit_of_measurement": "°C",
        "location": "north wall, beside the window, 1.6 m above the floor",
        "battery": 97,
        "signal": -61,
        "model": "TH-2",
        "reachable": True,
    },
}


def run(servers: Sequence[Server], plan: Plan) -> Report:
    """Measure every server in turns; the raw app answers with the bytes of the first server."""
    body = json.dumps(STATE).encode()
    for server in servers:
        server.expect("POST", PATH, body)
    answer = servers[0].expect("GET", PATH)
    for server in servers:
        if server.name == "raw":
            server.expect("PUT", PATH, answer)
    samples = in_turns(NAME, servers, plan, lambda server: _measure(server, plan))
    return share_of_raw(f"{NAME} {len(answer)} B", summarise(samples, "raw"), WANTED_PERCENT)


async def _measure(server: Server, plan: Plan) -> Sample:
    request = server.request("GET", PATH), f'"{ENTITY}"'.encode()
    return await keep_busy(server, plan, lambda _: request)
