"""Writing: POST of a state that changes every time, 150 bytes of JSON, answered with the new state.

Each connection writes an entity of its own, as sensors do. It must not know what else a server does with a write.
"""

from collections.abc import Sequence
from typing import Final

from benchmarks.measure import Plan, Sample, summarise
from benchmarks.rounds import in_turns, keep_busy
from benchmarks.servers import Server
from benchmarks.table import Report, share_of_raw
from benchmarks.writes import StateWrites

NAME: Final = "post-state"
WANTED_PERCENT: Final = 65
BODY_SIZE: Final = 150


def run(servers: Sequence[Server], plan: Plan) -> Report:
    """Measure every server in turns."""
    samples = in_turns(NAME, servers, plan, lambda server: _measure(server, plan))
    return share_of_raw(f"{NAME} {BODY_SIZE} B", summarise(samples, "raw"), WANTED_PERCENT)


async def _measure(server: Server, plan: Plan) -> Sample:
    writes = StateWrites(server, [f"sensor.bench_{number}" for number in range(plan.connections)], BODY_SIZE)
    writes.create()
    return await keep_busy(server, plan, writes)
