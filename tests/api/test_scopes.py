"""People at the door of 2014, by Basic or a session: what their role lets them see, hear and use."""

from __future__ import annotations

import http.client
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.api.wire import EventStream, fire, said
from tests.hubs import DEMO_DEVICES, Answer, RunningHub

HOUSE = """\
variables:
  - {name: answer, value: 42}
  - {name: of_heat, expression: $outside_temperature.temperature * 2}
rules:
  - {id: night, name: Night, rule: "when its 23:00 then turn bed_light off"}
groups:
  - {id: all, name: All, devices: [bed_light, ac], rules: [night], variables: [answer]}
users:
  - {username: anna, password: staple, role: admin}
  - {username: rita, password: battery, role: resident}
  - {username: visitor, password: correct, role: guest}
"""
PASSWORDS = {"anna": "staple", "rita": "battery", "visitor": "correct"}
ROLES = {
    "dora": ("sees devices", {"devices": "read", "events": "read"}),
    "vera": ("sets", {"devices": "read", "variables": "write", "rules": "write", "controlDevices": True}),
    "evan": ("fires", {"devices": "read", "events": "write"}),
    "blake": ("switches", {"controlDevices": True}),
    "nils": ("nothing", {}),
}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    hub = RunningHub(tmp_path_factory.mktemp("scopes") / "home", DEMO_DEVICES + HOUSE)
    hub.start()
    try:
        _admit_more(hub)
        yield hub
    finally:
        hub.kill()


def _admit_more(hub: RunningHub) -> None:
    """People with roles of their own beside those of the file; and a rule that can be edited."""
    config = by("anna", hub, "GET", "/api/config").json()["config"]
    config["roles"] += [{"name": role, "permissions": permissions} for role, permissions in ROLES.values()]
    config["users"] += [{"username": u, "password": _password(u), "role": role} for u, (role, _) in ROLES.items()]
    answer = by("anna", hub, "POST", "/api/config", {"config": config})
    assert answer.status == 200, answer.body
    rule = {"name": "Day", "ruleString": "when its 12:00 then turn bed_light on", "active": True, "logging": False}
    assert by("anna", hub, "POST", "/api/rules/day", {"rule": rule}).status == 200


def _password(name: str) -> str:
    return PASSWORDS.get(name, f"of {name}")


def basic(name: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{name}:{_password(name)}".encode()).decode()}


def by(name: str, hub: RunningHub, method: str, path: str, data: Any = None) -> Answer:
    return hub.ask(method, path, data, headers={**basic(name), "Content-Type": "application/json"})


def session(name: str, hub: RunningHub) -> Mapping[str, str]:
    """The Cookie header of a browser in which somebody logged in."""
    connection = http.client.HTTPConnection(hub.host, hub.port, timeout=45)
    try:
        body = f"username={name}&password={_password(name)}"
        connection.request("POST", "/login", body, {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        answer.read()
        cookies = answer.headers.get_all("set-cookie") or ()
        return {"Cookie": "; ".join(value.partition(";")[0] for value in cookies)}
    finally:
        connection.close()


def domains(states: Any) -> set[str]:
    return {state["entity_id"].partition(".")[0] for state in states} & {"variable", "rule", "light", "group"}


def now(hub: RunningHub, entity_id: str) -> str:
    return str(hub.ask("GET", f"/api/states/{entity_id}").json()["state"])


# ---------------------------------------------------------------------- seeing


@pytest.mark.parametrize(
    ("name", "visible"),
    [
        ("anna", {"variable", "rule", "light", "group"}),
        ("rita", {"variable", "rule", "light", "group"}),
        ("visitor", {"variable", "light", "group"}),
        ("dora", {"light", "group"}),
    ],
)
def test_states_are_those_that_the_role_may_read(hub: RunningHub, name: str, visible: set[str]) -> None:
    assert domains(by(name, hub, "GET", "/api/states").json()) == visible
    assert domains(by(name, hub, "GET", "/api/bootstrap").json()["states"]) == visible
    for entity_id in ("variable.answer", "VARIABLE.answer", "rule.night", "light.bed_light", "group.all"):
        answer = by(name, hub, "GET", f"/api/states/{entity_id}")
        expected = 200 if entity_id.lower().partition(".")[0] in visible else 404
        assert answer.status == expected, entity_id
        if expected == 404:
            assert answer.body == by(name, hub, "GET", "/api/states/rule.there_is_none").body


def test_a_session_sees_as_much_as_the_password(hub: RunningHub) -> None:
    cookie = session("visitor", hub)
    assert domains(hub.ask("GET", "/api/states", headers=cookie).json()) == {"variable", "light", "group"}
    assert hub.ask("GET", "/api/states/rule.night", headers=cookie).status == 404


def test_a_role_without_anything_sees_nothing(hub: RunningHub) -> None:
    for path in ("/api/states", "/api/states/light.bed_light", "/api/bootstrap", "/api/stream"):
        assert "nothing" in said(by("nils", hub, "GET", path), 403)


def test_the_owner_sees_everything(hub: RunningHub) -> None:
    assert domains(hub.ask("GET", "/api/states").json()) == {"variable", "rule", "light", "group"}


# ---------------------------------------------------------------------- setting and calling


@pytest.mark.parametrize("entity_id", ["variable.answer", "Variable.Answer", "variable.new", "rule.day", "rule.new"])
def test_a_state_of_a_variable_or_rule_is_not_set_by_who_controls_devices(hub: RunningHub, entity_id: str) -> None:
    before = hub.ask("GET", "/api/states").json()
    for name in ("rita", "visitor"):
        said(by(name, hub, "POST", f"/api/states/{entity_id}", {"state": "off"}), 403)
    assert hub.ask("GET", "/api/states").json() == before


CALLS = [
    ("variable", "set", {"name": "answer", "value": 1}),
    ("variable", "set", {"entity_id": "variable.answer", "value": 1}),
    ("variable", "set", {"service_data": {"name": "answer", "value": 1}}),
    ("rule", "turn_off", {}),
    ("rule", "turn_off", {"entity_id": "rule.day"}),
    ("rule", "trigger", {"entity_id": "rule.day"}),
    ("homeassistant", "turn_off", {"entity_id": ["light.bed_light", "rule.day"]}),
    ("homeassistant", "toggle", {"service_data": {"entity_id": "RULE.day"}}),
    ("homeassistant", "stop", {}),
]


@pytest.mark.parametrize(("domain", "service", "data"), CALLS)
def test_a_call_that_reaches_more_than_the_role_changes_nothing(
    hub: RunningHub, domain: str, service: str, data: dict[str, Any]
) -> None:
    hub.ask("POST", "/api/services/light/turn_on", {"entity_id": "light.bed_light"})
    before = hub.ask("GET", "/api/states").json()
    event = {**data, "domain": domain, "service": service}
    assert "resident" in said(by("rita", hub, "POST", f"/api/services/{domain}/{service}", data), 403)
    assert "fires" in said(by("evan", hub, "POST", "/api/events/call_service", event), 403)
    assert hub.ask("GET", "/api/states").json() == before


def test_an_event_that_calls_a_service_needs_what_the_call_needs(hub: RunningHub) -> None:
    event = {"domain": "light", "service": "turn_off", "entity_id": "light.bed_light"}
    hub.ask("POST", "/api/services/light/turn_on", {"entity_id": "light.bed_light"})
    assert "controlDevices" in said(by("evan", hub, "POST", "/api/events/call_service", event), 403)
    assert now(hub, "light.bed_light") == "on"
    assert by("evan", hub, "POST", "/api/events/doorbell", event).status == 200
    assert by("anna", hub, "POST", "/api/events/call_service", event).status == 200
    assert now(hub, "light.bed_light") == "off"


def test_a_resident_controls_devices_and_groups_of_them(hub: RunningHub) -> None:
    assert by("rita", hub, "POST", "/api/services/light/turn_on", {"entity_id": "light.bed_light"}).status == 200
    assert by("rita", hub, "POST", "/api/services/homeassistant/turn_off", {"entity_id": "group.all"}).status == 200
    assert now(hub, "light.bed_light") == "off"
    assert now(hub, "rule.day") == "on"
    assert by("rita", hub, "POST", "/api/states/weather.by_rita", {"state": "fine"}).status == 201


@pytest.mark.parametrize("name", ["vera", "anna"])
def test_who_may_write_variables_and_rules_does_so_here_too(hub: RunningHub, name: str) -> None:
    value = len(name) * 100 + ord(name[0])
    data = {"name": "answer", "value": value}
    assert by(name, hub, "POST", "/api/services/variable/set", data).status == 200
    assert now(hub, "variable.answer") == str(value)
    assert by(name, hub, "POST", "/api/states/variable.answer", {"state": str(value + 1)}).status == 200
    assert now(hub, "variable.answer") == str(value + 1)
    for service, state in (("turn_off", "off"), ("turn_on", "on")):
        assert by(name, hub, "POST", f"/api/services/rule/{service}", {"entity_id": "rule.day"}).status == 200
        assert now(hub, "rule.day") == state


def test_the_answer_to_a_call_has_only_what_may_be_read(hub: RunningHub) -> None:
    hub.ask("POST", "/api/services/light/turn_off", {"entity_id": "light.bed_light"})
    answer = by("blake", hub, "POST", "/api/services/light/turn_on", {"entity_id": "light.bed_light"})
    assert (answer.status, answer.json()) == (200, [])
    assert now(hub, "light.bed_light") == "on"


# ---------------------------------------------------------------------- hearing


def test_a_stream_tells_what_the_role_may_read(hub: RunningHub) -> None:
    hub.ask("POST", "/api/services/homeassistant/turn_off", {"entity_id": "group.all"})
    hub.ask("POST", "/api/services/rule/turn_on", {"entity_id": "rule.day"})
    with EventStream(hub, headers=basic("dora")) as hers, EventStream(hub) as all_of_it:
        hub.ask("POST", "/api/services/variable/set", {"name": "answer", "value": "heard"})
        hub.ask("POST", "/api/services/rule/turn_off", {"entity_id": "rule.day"})
        hub.ask("POST", "/api/services/homeassistant/turn_on", {"entity_id": "rule.day"})
        hub.ask("POST", "/api/states/weather.heard", {"state": "rain"})
        hub.ask("POST", "/api/services/switch/toggle", {"entity_id": "switch.ac"})
        fire(hub, "doorbell")
        fire(hub, "the_last")
        told = [(event["event_type"], event["data"]) for event in hers.until("the_last")]
        everything = [event["event_type"] for event in all_of_it.until("the_last")]
    assert [event_type for event_type, _data in told] == [
        "state_changed",
        "call_service",
        "state_changed",
        "state_changed",
        "service_executed",
        "doorbell",
        "the_last",
    ]
    text = str(told)
    assert "rule" not in text
    assert "variable" not in text
    assert told[1][1]["service_call_id"] == told[4][1]["service_call_id"]
    assert len(everything) > len(told) + 8


def test_a_stream_of_an_admin_has_what_that_of_the_owner_has(hub: RunningHub) -> None:
    with EventStream(hub, headers=basic("anna")) as hers, EventStream(hub) as of_owner:
        hub.ask("POST", "/api/services/variable/set", {"name": "answer", "value": "of both"})
        hub.ask("POST", "/api/services/rule/turn_on", {"entity_id": "rule.day"})
        fire(hub, "the_last")
        assert hers.until("the_last") == of_owner.until("the_last")


def test_of_types_asked_for_only_what_may_be_read_comes(hub: RunningHub) -> None:
    with EventStream(hub, "?restrict=service_executed,the_last", headers=basic("dora")) as stream:
        hub.ask("POST", "/api/services/variable/set", {"name": "answer", "value": "quiet"})
        hub.ask("POST", "/api/services/switch/turn_on", {"entity_id": "switch.ac"})
        fire(hub, "the_last")
        assert [event["event_type"] for event in stream.until("the_last")] == ["service_executed", "the_last"]


def test_a_stream_ends_when_the_role_is_another(hub: RunningHub) -> None:
    with EventStream(hub, headers=basic("evan")) as his, EventStream(hub, headers=basic("dora")) as hers:
        config = by("anna", hub, "GET", "/api/config").json()["config"]
        (role,) = [role for role in config["roles"] if role["name"] == "fires"]
        role["permissions"]["messages"] = "read"
        assert by("anna", hub, "POST", "/api/config", {"config": config}).status == 200
        with pytest.raises(EOFError):
            his.until("never")
        fire(hub, "the_last")
        assert hers.until("the_last")[-1]["event_type"] == "the_last"
