"""What the client and a hub speak of: states and events, and the error of both.

Plain values, read from and written to the hub's JSON; they must not know how they travel.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any, Final, TypeAlias

from . import clock

Json: TypeAlias = Any
Data: TypeAlias = Mapping[str, Json] | None

MATCH_ALL: Final = "*"
EVENT_STATE_CHANGED: Final = "state_changed"
EVENT_TIME_CHANGED: Final = "time_changed"

_ENTITY_ID = re.compile(r"\w+\.\w+")


class HomeAssistantError(Exception):
    """The hub cannot be reached or does not answer as it should, or an entity id is none; the text says which."""


class RefusedError(HomeAssistantError):
    """The hub answered with another status than 200 or 201."""

    def __init__(self, message: str, status_code: int) -> None:
        super().__init__(message)
        self.status_code = status_code


class EventOrigin(Enum):
    """Where an event came from: this program (local) or the hub (remote)."""

    local = "LOCAL"
    remote = "REMOTE"

    def __str__(self) -> str:
        return self.value


def _whole_seconds(date: datetime | None, otherwise: datetime) -> datetime:
    return otherwise if date is None else date.replace(microsecond=0)


@dataclass(slots=True)
class State:
    """The state of one entity. Dates are UTC in whole seconds, now unless given, and do not count for equality."""

    entity_id: str
    state: str
    # None is taken for the rest, as it always was, but never stays: hence the types
    attributes: dict[str, Json] = None  # type: ignore[assignment]
    last_changed: datetime = field(default=None, compare=False)  # type: ignore[assignment]
    last_updated: datetime = field(default=None, compare=False)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if not _ENTITY_ID.fullmatch(self.entity_id):
            raise HomeAssistantError(f"{self.entity_id!r} is no entity id: write domain.object_id, as in light.kitchen")
        self.entity_id = self.entity_id.lower()
        self.attributes = dict(self.attributes or {})
        self.last_updated = _whole_seconds(self.last_updated, clock.now())
        self.last_changed = _whole_seconds(self.last_changed, self.last_updated)

    @property
    def domain(self) -> str:
        """`light` of `light.kitchen`."""
        return self.entity_id.partition(".")[0]

    @property
    def object_id(self) -> str:
        """`kitchen` of `light.kitchen`."""
        return self.entity_id.partition(".")[2]

    @property
    def name(self) -> str:
        """The friendly name, or what the object id says."""
        return str(self.attributes.get("friendly_name") or self.object_id.replace("_", " "))

    def copy(self) -> "State":
        """The same once more, with attributes of its own."""
        return replace(self)

    def as_dict(self) -> dict[str, Json]:
        """As the hub writes it in JSON: dates are `HH:MM:SS DD-MM-YYYY`."""
        return {
            "entity_id": self.entity_id,
            "state": self.state,
            "attributes": self.attributes,
            "last_changed": clock.date_to_text(self.last_changed),
            "last_updated": clock.date_to_text(self.last_updated),
        }

    @classmethod
    def from_dict(cls, json_dict: Json) -> "State | None":
        """The state that a hub wrote; None when it is none. A date that cannot be read becomes now."""
        if not isinstance(json_dict, Mapping) or "state" not in json_dict:
            return None
        entity_id, attributes = json_dict.get("entity_id"), json_dict.get("attributes")
        if not isinstance(entity_id, str) or not _ENTITY_ID.fullmatch(entity_id):
            return None
        state = cls(entity_id, str(json_dict["state"]), attributes if isinstance(attributes, dict) else {})
        state.last_updated = clock.text_to_date(json_dict.get("last_updated")) or state.last_updated
        state.last_changed = clock.text_to_date(json_dict.get("last_changed")) or state.last_updated
        return state


@dataclass(slots=True)
class Event:
    """Something that happened. `data["old_state"]` and `data["new_state"]` of a received state_changed are States."""

    event_type: str
    data: dict[str, Json] = field(default_factory=dict)
    origin: EventOrigin = EventOrigin.local
    time_fired: datetime = field(default_factory=clock.now)

    def as_dict(self) -> dict[str, Json]:
        """As the hub writes it on its stream."""
        return {
            "event_type": self.event_type,
            "data": self.data,
            "origin": str(self.origin),
            "time_fired": clock.date_to_text(self.time_fired),
        }

    @classmethod
    def received(cls, event_type: str, data: Json, time_fired: object = None) -> "Event":
        """An event as a hub sent it: of remote origin, with State objects where it tells states."""
        event = cls(event_type, dict(data) if isinstance(data, Mapping) else {}, EventOrigin.remote)
        event.time_fired = clock.text_to_date(time_fired) or event.time_fired
        if event_type == EVENT_STATE_CHANGED:
            for key in ("old_state", "new_state"):
                if (state := State.from_dict(event.data.get(key))) is not None:
                    event.data[key] = state
        return event


class JSONEncoder(json.JSONEncoder):
    """Writes what has `as_dict`, such as State and Event; sets and generators as lists."""

    def default(self, o: object) -> Json:
        if (as_dict := getattr(o, "as_dict", None)) is not None:
            return as_dict()
        return list(o) if isinstance(o, Iterable) else super().default(o)
