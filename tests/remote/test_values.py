"""States and events: how they are written, read and compared."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from hallway import remote
from hallway.remote import State


def test_a_state_is_written_and_read_with_dates_in_utc() -> None:
    changed = datetime(2014, 12, 31, 23, 59, 58, 999, tzinfo=UTC)
    state = State("Light.Kitchen", "on", {"friendly_name": "Über"}, changed, changed + timedelta(minutes=1))
    written = state.as_dict()
    assert written["entity_id"] == "light.kitchen"
    assert (written["last_changed"], written["last_updated"]) == ("23:59:58 31-12-2014", "00:00:58 01-01-2015")
    in_tokyo = State("a.b", "c", {}, changed.astimezone(timezone(timedelta(hours=9))))
    assert in_tokyo.as_dict()["last_changed"] == "23:59:58 31-12-2014"
    read = State.from_dict(json.loads(json.dumps(written)))
    assert read == state
    assert (read.last_changed, read.last_updated) == (changed.replace(microsecond=0), state.last_updated)
    assert (state.name, State("a.b_c", "").name) == ("Über", "b c")


def test_states_are_equal_by_id_state_and_attributes() -> None:
    old = datetime(2014, 1, 1, tzinfo=UTC)
    from_a_script: Any = None
    assert State("a.b", "c", from_a_script, from_a_script) == State("A.B", "c", {}, old, old)
    assert len({str(State(*it)) for it in (("a.b", "c"), ("a.b", "d"), ("a.c", "c"), ("a.b", "c", {"x": 1}))}) == 4
    assert State("a.b", "c") != State("a.b", "c", {"x": 1})


def test_a_copy_has_attributes_of_its_own() -> None:
    state = State("a.b", "c", {"x": 1})
    copy = state.copy()
    copy.attributes["x"] = 2
    assert (copy == state, state.attributes) == (False, {"x": 1})
    assert (copy.last_changed, copy.last_updated) == (state.last_changed, state.last_updated)


@pytest.mark.parametrize("entity_id", ["", "a", "a.", ".b", "a.b.c", "a b.c"])
def test_an_entity_id_has_a_domain_and_an_object_id(entity_id: str) -> None:
    with pytest.raises(remote.HomeAssistantError, match="is no entity id"):
        State(entity_id, "on")
    assert State.from_dict({"entity_id": entity_id, "state": "on"}) is None


@pytest.mark.parametrize(
    "what", [None, 5, "x", [], {}, {"entity_id": "a.b"}, {"state": "x"}, {"entity_id": 5, "state": "x"}]
)
def test_what_is_no_state_is_read_as_none(what: object) -> None:
    assert State.from_dict(what) is None


@pytest.mark.parametrize("date", [None, 5, "", "2014-12-31T10:00:00", "25:00:00 01-01-2014"])
def test_a_date_that_cannot_be_read_is_now(date: object) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    state = State.from_dict({"entity_id": "a.b", "state": 5, "attributes": None, "last_changed": date})
    assert state == State("a.b", "5")
    assert before <= state.last_changed <= datetime.now(UTC)
