"""What a role's scopes let somebody see and use of entities, services and events."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from hallway.access.callers import EVERYTHING, LINK_ONLY, Caller
from hallway.access.roles import BUILT_IN
from hallway.api.operations.entity_scopes import check_call, check_fired, check_set, hearing, may_see, scope_of, seen
from hallway.errors import Forbidden, InvalidInput
from hallway.home import abilities
from hallway.home.abilities.base import Ability
from hallway.home.bus import Event
from hallway.home.changes import Context, State, StateChange
from hallway.home.values import Attributes

HERE = Context("homeassistant")
LIGHT, VARIABLE, RULE = (State(name, "on", {}, 0.0, 0.0) for name in ("light.hall", "variable.answer", "rule.night"))


def who(*permissions: str) -> Caller:
    return Caller("ida", frozenset(permissions), HERE, role="made-up")


def event(event_type: str, data: Attributes | StateChange) -> Event:
    return Event(event_type, data, 0.0, HERE, 1)


def moved(state: State) -> Event:
    return event("state_changed", StateChange(state.entity_id, None, state))


OWNER = Caller("owner", EVERYTHING, HERE)
ADMIN, RESIDENT, GUEST = (Caller(name, BUILT_IN[name].granted, HERE, role=name) for name in BUILT_IN)
LINK = Caller("link:cellar", LINK_ONLY, HERE, "cellar")


@pytest.mark.parametrize(
    ("entity_id", "scope"),
    [
        ("light.hall", "devices"),
        ("group.all", "devices"),
        ("weather.sun", "devices"),
        ("variable.answer", "variables"),
        ("Variable.Answer", "variables"),
        ("rule.night", "rules"),
        ("rules.night", "devices"),
        ("nothing", "devices"),
    ],
)
def test_the_domain_tells_the_scope(entity_id: str, scope: str) -> None:
    assert scope_of(entity_id) == scope


def test_nothing_of_a_device_has_the_domain_of_a_variable_or_rule() -> None:
    for module in pkgutil.iter_modules(abilities.__path__):
        importlib.import_module(f"{abilities.__name__}.{module.name}")
    pending, found = [Ability], set[str]()
    while pending:
        known = pending.pop()
        pending += known.__subclasses__()
        found.add(str(getattr(known, "domain", "")))
    assert {"light", "switch", "sensor"} <= found
    assert {scope_of(f"{domain}.x") for domain in found} == {"devices"}


@pytest.mark.parametrize(
    ("caller", "there"),
    [
        (OWNER, [LIGHT, VARIABLE, RULE]),
        (ADMIN, [LIGHT, VARIABLE, RULE]),
        (RESIDENT, [LIGHT, VARIABLE, RULE]),
        (GUEST, [LIGHT, VARIABLE]),
        (who("devices:read"), [LIGHT]),
        (who("rules:read"), [RULE]),
        (who(), []),
    ],
)
def test_states_are_seen_as_far_as_the_scopes_go(caller: Caller, there: list[State]) -> None:
    everything = [LIGHT, VARIABLE, RULE]
    assert seen(caller, everything) == there
    assert [state for state in everything if may_see(caller, state.entity_id)] == there


def test_setting_needs_the_permission_of_the_scope() -> None:
    for entity_id in ("light.hall", "variable.answer", "rule.night"):
        check_set(OWNER, entity_id)
        check_set(ADMIN, entity_id)
    check_set(RESIDENT, "light.hall")
    check_set(who("variables:write"), "variable.answer")
    with pytest.raises(Forbidden, match=r"variables:write, which the role resident has not"):
        check_set(RESIDENT, "variable.answer")
    with pytest.raises(Forbidden, match=r"rules:write"):
        check_set(RESIDENT, "RULE.night")
    with pytest.raises(Forbidden, match=r"controlDevices"):
        check_set(GUEST, "light.hall")


@pytest.mark.parametrize(
    ("domain", "service", "data", "needed"),
    [
        ("light", "turn_on", {}, "controlDevices"),
        ("light", "turn_on", {"entity_id": "light.hall"}, "controlDevices"),
        ("variable", "set", {"name": "answer", "value": 1}, "variables:write"),
        ("variable", "set", {"entity_id": "light.hall"}, "variables:write"),
        ("rule", "turn_off", {}, "rules:write"),
        ("rule", "trigger", {"entity_id": "rule.night"}, "rules:write"),
        ("homeassistant", "turn_off", {"entity_id": "rule.night"}, "rules:write"),
        ("homeassistant", "turn_off", {"entity_id": ["light.hall", "Rule.Night"]}, "rules:write"),
        ("homeassistant", "turn_off", {"service_data": {"entity_id": ["rule.night"]}}, "rules:write"),
        (
            "homeassistant",
            "turn_off",
            {"entity_id": "light.hall", "service_data": {"entity_id": "rule.x"}},
            "rules:write",
        ),
        ("homeassistant", "turn_off", {"entity_id": None, "service_data": {"entity_id": "rule.x"}}, "controlDevices"),
        ("homeassistant", "stop", {}, "restart"),
    ],
)
def test_a_call_needs_the_permissions_of_all_that_it_reaches(
    domain: str, service: str, data: Attributes, needed: str
) -> None:
    check_call(OWNER, domain, service, data)
    everything_else = Caller("ida", EVERYTHING - {needed}, HERE, role="made-up")
    fired: Attributes = {**data, "domain": domain, "service": service}
    with pytest.raises(Forbidden, match=needed):
        check_call(everything_else, domain, service, data)
    with pytest.raises(Forbidden, match=needed):
        check_fired(everything_else, "call_service", fired)
    check_fired(everything_else, "doorbell", fired)
    check_fired(LINK, "call_service", fired)


def test_what_cannot_be_told_is_refused_unless_somebody_may_do_everything() -> None:
    check_call(OWNER, "light", "turn_on", {"entity_id": 7})
    with pytest.raises(InvalidInput):
        check_call(RESIDENT, "light", "turn_on", {"entity_id": 7})


def test_whoever_sees_everything_and_links_are_asked_nothing_for_each_event() -> None:
    assert [hearing(caller) for caller in (OWNER, ADMIN, RESIDENT, LINK)] == [None] * 4


def test_events_are_heard_of_what_may_be_seen() -> None:
    hears = hearing(GUEST)
    assert hears is not None
    assert [hears(moved(state)) for state in (LIGHT, VARIABLE, RULE)] == [True, True, False]
    assert hears(event("doorbell", {"entity_id": "rule.night"}))
    assert not hears(event("state_changed", {"entity_id": "rule.night"}))
    assert not hears(event("state_changed", {"entity_id": "light.hall", "new_state": {"entity_id": "rule.night"}}))
    assert hears(event("state_changed", {"entity_id": "variable.answer"}))


def test_the_end_of_a_call_is_heard_by_those_who_heard_of_the_call() -> None:
    hears = hearing(who("devices:read"))
    assert hears is not None
    calls: list[tuple[Attributes, bool]] = [
        ({"domain": "light", "service": "turn_on", "service_call_id": "1"}, True),
        ({"domain": "rule", "service": "turn_on", "service_call_id": "2"}, False),
        ({"domain": "variable", "service": "set", "name": "a", "value": 1, "service_call_id": "3"}, False),
        ({"domain": "homeassistant", "service": "toggle", "entity_id": "rule.a", "service_call_id": "4"}, False),
        ({"domain": "light", "service": "turn_on", "entity_id": 7, "service_call_id": "5"}, False),
    ]
    for data, heard in calls:
        assert hears(event("call_service", data)) is heard
        assert hears(event("service_executed", {"service_call_id": data["service_call_id"]})) is heard


def test_only_so_many_calls_are_remembered() -> None:
    hears = hearing(who("devices:read"))
    assert hears is not None
    for number in range(1001):
        assert hears(event("call_service", {"domain": "light", "service_call_id": str(number)}))
    assert not hears(event("service_executed", {"service_call_id": "0"}))
    assert hears(event("service_executed", {"service_call_id": "1"}))
    endless = "1" * 300
    assert hears(event("call_service", {"domain": "light", "service_call_id": endless}))
    assert not hears(event("service_executed", {"service_call_id": endless}))
