"""What changes promise: numbered, in order, stamped with their cause, seen by all; what follows comes after."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from hallway.errors import Conflict
from hallway.home.changes import (
    MAX_CAUSES,
    AnyChange,
    Changes,
    Context,
    Defined,
    Fired,
    Planned,
    State,
    StateChange,
    Updated,
    VariableSet,
)
from tests.home.homes import TEST, House, a_device


def fire(changes: Changes, event_type: str = "e", context: Context = TEST) -> None:
    changes.emit(Fired(changes.next(), 0.0, context, event_type, {}))


def seqs(seen: list[AnyChange]) -> list[int]:
    return [change.seq for change in seen]


def test_changes_are_numbered_without_gaps_and_in_order() -> None:
    house = House(
        a_device("DummyDimmer"), a_device("DummyPresenceSensor", "hall"), variables=({"name": "v", "value": 1},)
    )
    first = house.home.changes.seq + 1
    house.act("it", "turnOn")
    house.report("weather.sun", "bright")
    house.act("hall", "changePresenceTo", presence=True)
    house.home.set_variable("v", 2, TEST)
    house.call("light.turn_off")
    house.clock.advance(60)
    house.home.remove_device("it", TEST)
    assert len(house.changes) > 9
    assert seqs(house.changes) == list(range(first, first + len(house.changes)))
    assert house.home.changes.seq == house.changes[-1].seq


def test_counting_goes_on_from_the_number_that_was_kept() -> None:
    changes = Changes(41)
    seen: list[AnyChange] = []
    changes.subscribe(seen.append)
    fire(changes)
    assert seqs(seen) == [42]


def test_listeners_are_called_in_the_order_in_which_they_came() -> None:
    changes = Changes()
    calls: list[str] = []
    changes.subscribe(lambda _change: calls.append("first"))
    stop = changes.subscribe(lambda _change: calls.append("second"))
    changes.watch("event:e", lambda _change: calls.append("watcher"))
    changes.subscribe(lambda _change: calls.append("third"))
    fire(changes)
    assert calls == ["first", "second", "third", "watcher"]
    stop()
    stop()
    fire(changes)
    assert calls[4:] == ["first", "third", "watcher"]


def test_who_wants_some_kinds_only_hears_of_no_others_and_keeps_its_place() -> None:
    changes = Changes()
    calls: list[str] = []
    stop = changes.subscribe(lambda change: calls.append(f"edits {change.seq}"), Defined)
    changes.subscribe(lambda change: calls.append(f"all {change.seq}"))
    changes.subscribe(lambda change: calls.append(f"both {change.seq}"), Defined, Fired)
    fire(changes)
    changes.emit(Defined(changes.next(), 0.0, TEST, "rule", "night", None, {}))
    changes.emit(VariableSet(changes.next(), 0.0, TEST, "v", 1, 2))
    assert calls == ["all 1", "both 1", "edits 2", "all 2", "both 2", "all 3"]
    stop()
    changes.emit(Defined(changes.next(), 0.0, TEST, "rule", "night", {}, None))
    assert calls[6:] == ["all 4", "both 4"]


def test_a_state_that_moves_keeps_its_attributes_as_the_same_object_while_they_are_the_same() -> None:
    house = House()
    first, _ = house.home.report("sensor.out", "1", {"unit": "W", "ok": True}, TEST)
    second, _ = house.home.report("sensor.out", "2", {"unit": "W", "ok": True}, TEST)
    third, _ = house.home.report("sensor.out", "3", {"unit": "W", "ok": 1}, TEST)
    assert second.attributes is first.attributes
    assert third.attributes == {"unit": "W", "ok": 1}
    assert third.attributes["ok"] is not True


def test_a_listener_that_fails_stops_nobody_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    changes = Changes()
    seen: list[AnyChange] = []

    def fail(_change: AnyChange) -> None:
        raise ValueError("broken listener")

    changes.subscribe(fail)
    changes.subscribe(seen.append)
    changes.watch("event:e", fail)
    changes.watch("event:e", seen.append)
    fire(changes)
    assert seqs(seen) == [1, 1]
    assert [r.levelno for r in caplog.records] == [logging.ERROR, logging.ERROR]
    assert "broken listener" in caplog.text


def test_what_a_listener_asks_for_comes_after_all_have_seen_the_change() -> None:
    changes = Changes()
    calls: list[str] = []

    def react(change: AnyChange) -> None:
        calls.append(f"reacts to {change.seq}")
        if change.seq == 1:
            changes.after(lambda: fire(changes))
            changes.after(lambda: calls.append("later"))

    changes.subscribe(react)
    changes.subscribe(lambda change: calls.append(f"sees {change.seq}"))
    fire(changes)
    assert calls == ["reacts to 1", "sees 1", "reacts to 2", "sees 2", "later"]


def test_after_runs_at_once_when_nothing_is_happening() -> None:
    calls: list[str] = []
    Changes().after(lambda: calls.append("now"))
    assert calls == ["now"]


def test_a_request_that_fails_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    changes = Changes()
    calls: list[str] = []

    def fail() -> None:
        raise ValueError("broken request")

    def ask(_change: AnyChange) -> None:
        changes.after(fail)
        changes.after(lambda: calls.append("done"))

    changes.subscribe(ask)
    fire(changes)
    assert calls == ["done"]
    assert "broken request" in caplog.text


def test_requests_of_requests_come_in_turn() -> None:
    changes = Changes()
    calls: list[str] = []

    def both() -> None:
        calls.append("one")
        changes.after(lambda: calls.append("three"))

    def ask(_change: AnyChange) -> None:
        changes.after(both)
        changes.after(lambda: calls.append("two"))

    changes.subscribe(ask)
    fire(changes)
    assert calls == ["one", "two", "three"]


def test_a_change_made_inside_a_listener_is_seen_by_all_next_and_before_what_was_asked_for() -> None:
    changes = Changes()
    seen: list[AnyChange] = []

    def meddle(change: AnyChange) -> None:
        if change.seq == 1:
            changes.after(lambda: fire(changes, "asked"))
            fire(changes, "at once")
            fire(changes, "at once too")

    changes.subscribe(meddle)
    changes.subscribe(seen.append)
    fire(changes)
    assert [(c.seq, c.event_type) for c in seen if isinstance(c, Fired)] == [
        (1, "e"),
        (2, "at once"),
        (3, "at once too"),
        (4, "asked"),
    ]


STATE = State("light.it", "on", {}, 0.0, 0.0)
MOVED = (StateChange("light.it", None, STATE),)


@pytest.mark.parametrize(
    ("change", "keys"),
    [
        (
            Updated(1, 0.0, TEST, "it", {"a": 1, "b": 1}, {"a": 2, "b": 1}, MOVED),
            {"device:it", "attribute:it.a", "attribute:it.b", "entity:light.it"},
        ),
        (VariableSet(1, 0.0, TEST, "x", 1, 2, MOVED), {"variable:x", "entity:light.it"}),
        (Fired(1, 0.0, TEST, "Doorbell", {}), {"event:Doorbell"}),
        (Planned(1, 0.0, TEST, "it", "stop", 5.0), {"device:it"}),
        (Defined(1, 0.0, TEST, "group", "g", None, {}, MOVED), {"group:g", "entity:light.it"}),
        (Defined(1, 0.0, TEST, "device", "it", {}, None, ()), {"device:it"}),
    ],
)
def test_a_change_can_be_watched_by_all_that_it_touches(change: AnyChange, keys: set[str]) -> None:
    changes = Changes()
    heard: list[str] = []
    for kind in ("device", "attribute", "entity", "variable", "event", "group"):
        for name in ("it", "it.a", "it.b", "it.c", "x", "Doorbell", "doorbell", "g", "light.it", "light.other"):
            changes.watch(f"{kind}:{name}", lambda _change, key=f"{kind}:{name}": heard.append(key))  # type: ignore[misc]
    changes.emit(change)
    assert set(heard) == keys
    assert len(heard) == len(keys)


def test_who_watches_one_thing_is_called_for_it_alone() -> None:
    house = House(a_device("DummyDimmer"), a_device("DummyDimmer", "other"), variables=({"name": "x", "value": 1},))
    changes = house.home.changes
    seen: dict[str, int] = {}
    keys = ("device:it", "attribute:it.dimlevel", "attribute:it.state", "entity:light.it", "variable:x", "event:e")
    for key in keys:
        seen[key] = 0

        def count(_change: AnyChange, key: str = key) -> None:
            seen[key] += 1

        changes.watch(key, count)

    house.act("other", "turnOn")
    assert set(seen.values()) == {0}
    house.act("it", "changeDimlevelTo", dimlevel=10)
    assert seen == dict.fromkeys(keys, 1) | {"variable:x": 0, "event:e": 0}
    house.act("it", "changeDimlevelTo", dimlevel=20)
    assert seen["attribute:it.dimlevel"] == 2
    assert seen["attribute:it.state"] == 1
    house.home.set_variable("x", 1, TEST)
    house.home.fire("e", {}, TEST)
    house.home.fire("E", {}, TEST)
    assert (seen["variable:x"], seen["event:e"]) == (1, 1)


def test_who_watches_no_more_is_counted_no_more() -> None:
    changes = Changes()
    seen: list[AnyChange] = []
    stops = [changes.watch("event:e", seen.append), changes.watch("event:e", lambda _change: None)]
    assert changes.watching("event:e") == 2
    stops[0]()
    assert changes.watching("event:e") == 1
    fire(changes)
    assert seen == []
    stops[1]()
    stops[1]()
    assert changes.watching("event:e") == 0


def test_what_follows_carries_person_and_way_and_is_one_link_longer() -> None:
    first = Context("link:cellar", user="anna", depth=3, hops=("a", "b"))
    assert first.following("rule", 17) == Context("rule", user="anna", cause=17, depth=4, hops=("a", "b"))


def test_each_link_of_a_chain_names_the_change_before_it() -> None:
    house = House(
        a_device("DummyDimmer"),
        variables=({"name": "double", "expression": "$it.dimlevel * 2"},),
        groups=({"id": "g", "devices": ["it"]},),
    )
    house.changes.clear()
    house.call("homeassistant.turn_on", entity_id="group.g")
    chain: dict[str, Context] = {}
    by_seq: dict[int, AnyChange] = {change.seq: change for change in house.changes}
    for change in house.changes:
        chain.setdefault(f"{type(change).__name__}:{change.context.origin}", change.context)
        if change.context.cause is not None:
            assert change.context.depth == by_seq[change.context.cause].context.depth + 1
        assert change.context.user == "somebody"
    assert {name: context.depth for name, context in chain.items()} == {
        "Fired:test": 0,
        "Fired:service": 1,
        "Updated:service": 2,
        "VariableSet:formula": 3,
        "Updated:group": 3,
    }


def at_depth(depth: int) -> Context:
    return Context("test", depth=depth)


@pytest.mark.parametrize(
    "command",
    [
        lambda house, context: house.home.act("it", "turnOn", {}, context),
        lambda house, context: house.home.set_variable("x", 2, context),
        lambda house, context: house.home.fire("e", {}, context),
        lambda house, context: house.home.call_service("switch", "turn_on", {}, context),
    ],
)
def test_a_command_at_the_end_of_a_long_chain_is_refused(command: Any) -> None:
    house = House(a_device("DummySwitch"), variables=({"name": "x", "value": 1},))
    with house.refuses(Conflict, "chain of 32", "circle"):
        command(house, at_depth(MAX_CAUSES))
    command(house, at_depth(MAX_CAUSES - 3))
    assert house.changes


def test_two_that_switch_each_other_come_to_an_end(caplog: pytest.LogCaptureFixture) -> None:
    house = House(a_device("DummySwitch"))

    def toggle(context: Context) -> None:
        house.home.act("it", "toggle", {}, context)

    def switch_back(change: AnyChange) -> None:
        context = change.context.following("rule", change.seq)
        house.home.changes.after(lambda: toggle(context))

    house.home.changes.watch("attribute:it.state", switch_back)
    house.act("it", "turnOn")
    assert [update.context.depth for update in house.updates()] == list(range(MAX_CAUSES))
    assert "a chain of 32 changes" in caplog.text
    assert house.act("it", "getState") is False
