"""The JSON forms of the Home Assistant API of 2014: dates, states, events.

Dates are `HH:MM:SS DD-MM-YYYY` in UTC, whole seconds. Source: the REST document of 2014-12 and recorded answers.
It must not know who sends them where.
"""

from __future__ import annotations

from collections.abc import Mapping

from hallway.home.bus import Event
from hallway.home.changes import State, StateChange
from hallway.home.dates import date_text, second_text
from hallway.home.values import Value, ascii_json, encode, encode_sorted


def state_form(state: State) -> dict[str, Value]:
    """A state as the API shows it: entity_id, state, attributes, last_changed, last_updated."""
    return {
        "entity_id": state.entity_id,
        "state": state.state,
        "attributes": state.attributes,
        "last_changed": second_text(int(state.last_changed)),
        "last_updated": second_text(int(state.last_updated)),
    }


def state_bytes(state: State) -> bytes:
    """The same as JSON in ASCII, keys in order."""
    return ascii_json(encode_sorted(state_form(state)))


def data_form(data: Mapping[str, Value] | StateChange) -> Mapping[str, Value]:
    """An event's data; old_state is left out for an entity that is new."""
    if not isinstance(data, StateChange):
        return data
    form: dict[str, Value] = {"entity_id": data.entity_id}
    if data.new is not None:
        form["new_state"] = state_form(data.new)
    if data.old is not None:
        form["old_state"] = state_form(data.old)
    return form


def event_bytes(event: Event) -> bytes:
    """An event as JSON in ASCII: event_type, data, origin, time_fired."""
    form = {
        "event_type": event.event_type,
        "data": data_form(event.data),
        "origin": "REMOTE" if event.remote else "LOCAL",
        "time_fired": date_text(event.at),
    }
    return ascii_json(encode(form))
