"""The lines of a logbook: what an entity did in words, and how the many lines of a quarter of an hour become fewer.

Of each sensor the last line of a quarter is left, and a hub that stopped and started in one was restarted. It must not
know where lines come from.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from hallway.home.dates import date_text
from hallway.home.logbook import entry_of, is_start, is_stop
from hallway.home.messages import Message
from hallway.home.past import Sample, Series
from hallway.home.values import Attributes, python_text

QUARTER: Final = 900
MOST_IN_QUARTER: Final = 20_000
"""Lines that are looked at together: in a home where more happens, sensors are told of more often."""
_WORDS: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("sun", "above_horizon"): "rose",
        ("sun", "below_horizon"): "went down",
        ("device_tracker", "home"): "came home",
        ("device_tracker", "not_home"): "went away",
    }
)
_SWITCHED: Final = MappingProxyType({"on": "turned on", "off": "turned off"})


class Line(msgspec.Struct, frozen=True, gc=False):
    """Something that happened. kind: `state`, or what the hub says of itself: `start`, `stop`, `entry`."""

    at: float
    name: str
    message: str
    domain: str | None
    entity_id: str | None
    kind: str = "state"

    def form(self) -> Attributes:
        """As it is answered."""
        return {
            "when": date_text(self.at),
            "name": self.name,
            "message": self.message,
            "domain": self.domain,
            "entity_id": self.entity_id,
        }


def line_of_sample(series: Series, sample: Sample) -> Line:
    """An entity shows something else."""
    domain, _, object_id = series.owner.partition(".")
    attributes = (sample.more or {}).get("attributes")
    name = attributes.get("friendly_name") if isinstance(attributes, dict) else None
    text = python_text(sample.value)
    words = _WORDS.get((domain, text)) or _SWITCHED.get(text) or f"changed to {text}"
    return Line(sample.at, python_text(name or object_id.replace("_", " ")), words, domain, series.owner)


def line_of_message(message: Message) -> Line:
    """Something that was written into the logbook."""
    entry = entry_of(message)
    kind = "start" if is_start(message) else "stop" if is_stop(message) else "entry"
    texts = {name: None if value is None else python_text(value) for name, value in entry.items()}
    return Line(message.at, texts["name"] or "", texts["message"] or "", texts["domain"], texts["entity_id"], kind)


async def grouped(lines: AsyncIterator[list[Line]]) -> AsyncIterator[list[Attributes]]:
    """The lines as they are told, oldest first. They come in the order of time."""
    quarter, gathered = None, list[Line]()
    async for piece in lines:
        for line in piece:
            if line.at // QUARTER != quarter or len(gathered) >= MOST_IN_QUARTER:
                if gathered:
                    yield [each.form() for each in _fewer(gathered)]
                quarter, gathered = line.at // QUARTER, []
            gathered.append(line)
    if gathered:
        yield [each.form() for each in _fewer(gathered)]


def _fewer(lines: list[Line]) -> Iterator[Line]:
    """Those of a quarter of an hour that are told."""
    last = {line.entity_id: number for number, line in enumerate(lines) if line.domain == "sensor"}
    stopped, restarted = None, set[int]()
    for number, line in enumerate(lines):
        if line.kind == "start" and stopped is not None:
            restarted |= {stopped, number}
        stopped = number if line.kind == "stop" else None if line.kind == "start" else stopped
    for number, line in enumerate(lines):
        if line.kind == "state" and line.domain == "sensor" and last[line.entity_id] != number:
            continue
        if number not in restarted:
            yield line
        elif line.kind == "start":
            yield msgspec.structs.replace(line, message="restarted")
