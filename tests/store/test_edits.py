"""What somebody edited is there after a restart, whatever it was and however the hub ended."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from hallway.clock import VirtualClock
from hallway.errors import HallwayError
from hallway.home.changes import Context, Kind
from hallway.home.home import Home
from hallway.store.store import Store
from tests.store.conftest import OpenStore
from tests.store.homes import build_kept as build
from tests.store.lives import Life, live

ANN = Context("pimatic", user="ann")
KINDS: tuple[Kind, ...] = ("device", "variable", "rule", "page", "group")


def look(home: Home) -> dict[str, dict[Any, Any]]:
    """All that a restart must bring back. What cannot be computed any more has lost its value by then."""
    names = home.value_names()
    computable = {v.name for v in home.variables if v.formula is None or v.formula.variables <= names}
    return {
        "devices": {device.id: (device.config, device.source, device.error) for device in home.devices.values()},
        "values": {
            f"{device.id}.{name}": (device.value(name), device.held(name).updated)
            for device in home.devices.values()
            for name in device.attributes
            if device.class_name != "VariablesDevice"
        },
        "variables": {v.name: (v.unit, v.formula and v.formula.text) for v in home.variables},
        "variable values": {v.name: v.value for v in home.variables if v.name in computable},
        "rules": {rule.id: (rule.config, rule.valid, rule.error) for rule in home.rules.all()},
        "pages": {page.id: page for page in home.pages.all()},
        "groups": {group.id: group for group in home.groups.all()},
        "orders": {kind: home.order(kind) for kind in KINDS},
        "states": {
            s.entity_id: s for s in home.states() if s.entity_id.partition(".")[0] not in ("variable", "sensor")
        },
        "ids": dict(home.entities.kept),
    }


class EditedLife(Life):
    """A home that is edited, over several hubs."""

    def build(self) -> Home:
        return build(self.clock, self.store)

    def look(self) -> dict[str, dict[Any, Any]]:
        return look(self.home)

    async def step(self, what: str, how: Any) -> None:
        if what == "end":
            await self.end(how)
        elif what == "wait":
            self.clock.advance(how)
            await asyncio.sleep(0)
        elif what == "durable":
            await self.store.durable(self.home.changes.seq)
        else:
            self.edit(what, how)

    def edit(self, what: str, how: Any) -> None:
        try:
            EDITS[what](self.home, *how)
        except HallwayError as error:
            event(f"{what}: {type(error).__name__}")
        else:
            event(what)


EDITS: dict[str, Any] = {
    "add device": lambda home, config: home.add_device(dict(config), "store", ANN),
    "change device": lambda home, config: home.change_device(dict(config), ANN),
    "remove device": lambda home, key: home.remove_device(key, ANN),
    "act": lambda home, key: home.act(key, "turnOn", {}, ANN),
    "add variable": lambda home, config: home.add_variable(dict(config), ANN),
    "change variable": lambda home, config: home.change_variable(dict(config), ANN),
    "remove variable": lambda home, key: home.remove_variable(key, ANN),
    "add rule": lambda home, config: home.rules.add(dict(config), ANN, force=True),
    "change rule": lambda home, key, config: home.rules.change(key, dict(config), ANN),
    "remove rule": lambda home, key: home.rules.remove(key, ANN),
    "add page": lambda home, key: home.pages.add({"id": key, "name": "ü ☃"}, ANN),
    "change page": lambda home, key, config: home.pages.change(key, dict(config), ANN),
    "remove page": lambda home, key: home.pages.remove(key, ANN),
    "on page": lambda home, key, device: home.pages.add_device(key, device, ANN),
    "off page": lambda home, key, device: home.pages.remove_device(key, device, ANN),
    "add group": lambda home, key: home.groups.add({"id": key, "name": 5}, ANN),
    "change group": lambda home, key, config: home.groups.change(key, dict(config), ANN),
    "remove group": lambda home, key: home.groups.remove(key, ANN),
    "in group": lambda home, key, kind, member: home.groups.add_member(key, kind, member, ANN),
    "out of group": lambda home, key, kind, member: home.groups.remove_member(key, kind, member, ANN),
    "order": lambda home, kind, order: home.set_order(kind, order, ANN),
}

KEYS = st.sampled_from(("a", "b", "c"))
DEVICES = st.builds(
    lambda key, rest: {"id": key, **rest},
    KEYS,
    st.sampled_from(
        (
            {"class": "DummySwitch"},
            {"class": "DummyDimmer", "name": "Büro"},
            {"class": "VariableInputDevice", "variable": "b"},
            {"class": "VariablesDevice", "variables": [{"name": "q", "expression": "$a"}]},
            {"class": "Nope"},
        )
    ),
)
VARIABLES = st.builds(
    lambda key, rest: {"name": key, **rest},
    KEYS,
    st.sampled_from(
        (
            {"value": 1},
            {"value": "text", "unit": "W"},
            {"value": [1, {"x": None}]},
            {"expression": "$a + 1", "unit": "h"},
            {"expression": "$b"},
            {"expression": "$a.state"},
        )
    ),
)
RULES = st.sampled_from(({}, {"active": False}, {"logging": False, "name": "x"}, {"rule": "when b is on then y"}))
MEMBERS = st.tuples(KEYS, st.sampled_from(("device", "rule", "variable")), KEYS)
STEPS = st.one_of(
    st.tuples(st.sampled_from(("add device", "change device")), st.tuples(DEVICES)),
    st.tuples(st.sampled_from(("add variable", "change variable")), st.tuples(VARIABLES)),
    st.tuples(st.just("add rule"), st.tuples(KEYS.map(lambda key: {"id": key, "rule": f"when {key} is on then x"}))),
    st.tuples(st.just("change rule"), st.tuples(KEYS, RULES)),
    st.tuples(
        st.sampled_from(("add page", "add group", "act")),
        st.tuples(KEYS),
    ),
    st.tuples(
        st.sampled_from(("remove device", "remove variable", "remove rule", "remove page", "remove group")),
        st.tuples(KEYS),
    ),
    st.tuples(st.just("change page"), st.tuples(KEYS, st.sampled_from(({"name": "z"}, {"allowedRoles": ["admin"]})))),
    st.tuples(st.sampled_from(("on page", "off page")), st.tuples(KEYS, KEYS)),
    st.tuples(st.just("change group"), st.tuples(KEYS, st.just({"name": "z", "devicesOrder": ["c"]}))),
    st.tuples(st.sampled_from(("in group", "out of group")), MEMBERS),
    st.tuples(st.just("order"), st.tuples(st.sampled_from(KINDS), st.permutations(["a", "b", "c", "gone"]))),
    st.tuples(st.just("wait"), st.sampled_from((0.1, 6.0))),
    st.tuples(st.just("durable"), st.just(())),
    st.tuples(st.just("end"), st.sampled_from(("close", "kill"))),
)


def kept(store: Store, kind: str) -> dict[str, Any]:
    """The bodies of the present definitions of a kind."""
    return {key: definition.body for key, definition in store.definitions(kind).items()}


async def test_an_edit_is_a_version_with_its_author_and_its_door(open_store: OpenStore, clock: VirtualClock) -> None:
    store = open_store()
    home = build(clock, store)
    store.attach(home, asyncio.get_running_loop())
    clock.advance(5)
    home.pages.add({"id": "p", "name": "P"}, ANN)
    await store.durable(home.changes.seq)
    home.pages.change("p", {"name": "Q"}, Context("pimatic", user="bob"))
    home.pages.change("p", {}, ANN)
    home.pages.remove("p", Context("homeassistant"))
    versions = store.history("page", "p")
    waiting = [(v.version, v.author, v.door, v.body and v.body["name"]) for v in versions]
    assert waiting == [(1, "ann", "pimatic", "P"), (2, "bob", "pimatic", "Q"), (3, None, "homeassistant", None)]
    assert [v.at for v in versions] == [clock.now()] * 3
    assert kept(store, "page") == {}
    await store.durable(home.changes.seq)
    assert store.history("page", "p") == versions
    assert kept(store, "page") == {}


async def test_at_which_revision_a_thing_is_follows_every_edit(open_store: OpenStore, clock: VirtualClock) -> None:
    store = open_store()
    home = build(clock, store)
    store.attach(home, asyncio.get_running_loop())
    present = store.revisions.present
    assert [present("variable", "v"), present("order", "variable")] == [0, 0]
    home.add_variable({"name": "v", "value": 1}, ANN)
    added = present("variable", "v")
    home.set_variable("v", 2, ANN)
    assert added == present("variable", "v") > 0
    home.change_variable({"name": "v", "expression": "1 + 1"}, ANN)
    assert (changed := present("variable", "v")) > added
    home.set_order("variable", ("v",), ANN)
    assert present("order", "variable") > changed == present("variable", "v")
    await store.durable(home.changes.seq)
    home.remove_variable("v", ANN)
    removed = present("variable", "v")
    await store.close()
    assert removed > changed
    again = open_store()
    again.attach(build(clock, again), asyncio.get_running_loop())
    assert [again.revisions.present("variable", "v") for _ in range(2)] == [removed, removed]


async def test_definitions_come_in_the_order_in_which_they_came_also_before_their_commit(
    open_store: OpenStore, clock: VirtualClock
) -> None:
    store = open_store()
    home = build(clock, store)
    store.attach(home, asyncio.get_running_loop())
    for key in "bac":
        home.groups.add({"id": key}, ANN)
    assert list(store.definitions("group")) == ["b", "a", "c"]
    home.groups.remove("b", ANN)
    home.groups.add({"id": "b"}, ANN)
    home.groups.change("a", {"name": "x"}, ANN)
    assert list(store.definitions("group")) == ["a", "c", "b"]
    before = store.definitions("group")
    await store.durable(home.changes.seq)
    assert store.definitions("group") == before
    numbers = [definition.since for definition in before.values()]
    assert numbers == sorted(numbers)


async def test_a_large_value_is_kept_once_and_not_with_each_version(open_store: OpenStore, clock: VirtualClock) -> None:
    store = open_store()
    home = build(clock, store)
    store.attach(home, asyncio.get_running_loop())
    large = "x" * 5000
    home.add_variable({"name": "text", "value": large, "unit": "m"}, ANN)
    home.add_variable({"name": "list", "value": [large]}, ANN)
    home.add_variable({"name": "small", "value": "x" * 4000}, ANN)
    await store.durable(home.changes.seq)
    assert kept(store, "variable") == {
        "text": {"name": "text", "unit": "m"},
        "list": {"name": "list"},
        "small": {"name": "small", "value": "x" * 4000},
    }
    await store.close()
    again = build(clock, open_store())
    assert [again.value(name) for name in ("text", "list")] == [large, [large]]
    assert again.unit("text") == "m"


async def test_what_the_store_does_not_keep_has_no_version(open_store: OpenStore, clock: VirtualClock) -> None:
    store = open_store()
    home = build(clock, store)
    store.attach(home, asyncio.get_running_loop())
    home.add_device({"id": "fixed", "class": "DummySwitch"}, "file", ANN)
    home.report("weather.sun", "bright", {}, ANN)
    home.add_variable({"name": "n", "value": 1}, ANN)
    home.change_variable({"name": "n", "value": 2}, ANN)
    await store.durable(home.changes.seq)
    assert kept(store, "device") == {}
    assert kept(store, "variable") == {"n": {"name": "n", "value": 1}}
    assert len(store.history("variable", "n")) == 1


@example(
    [
        ("add page", ("b",)),
        ("add page", ("a",)),
        ("order", ("page", ["a"])),
        ("remove page", ("a",)),
        ("add page", ("a",)),
    ]
)
@settings(max_examples=100, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_a_restart_gives_the_same_home(steps: list[tuple[str, Any]]) -> None:
    live(EditedLife, steps)
