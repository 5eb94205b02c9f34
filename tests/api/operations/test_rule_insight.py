"""Asking about rules: what they did and why, what they would have done, what they will do, and letting one run."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from hallway.access.callers import Caller, granted
from hallway.api.operations.rule_insight import OPERATIONS, RESULTS
from hallway.api.pimatic.calls import Calls
from hallway.errors import Forbidden
from hallway.home.changes import Context
from hallway.language.kinds import built_in
from hallway.language.rules import RuleParser
from hallway.rules.engine import RuleEngine
from hallway.rules.insight import MOST_WAITING, Insight
from hallway.rules.traces import Result
from tests.api.operations.pimatic.desk import ADMIN, Desk
from tests.conftest import StartHub
from tests.home.homes import NOW, a_device

PAGE = (Path(__file__).parents[3] / "docs" / "rules.md").read_text("utf-8")
MS = round(NOW * 1000)
WARM = "when temperature of air > 25 then turn lamp on"
READS = {"rules": "read", "devices": "read", "variables": "read", "events": "read"}


class RuleDesk(Desk):
    """A desk in a house whose rules run."""

    def __init__(self) -> None:
        super().__init__(
            a_device("DummySwitch", "lamp", name="Lamp"),
            a_device("DummyTemperatureSensor", "air", name="Air"),
            variables=({"name": "x", "value": 1}, {"name": "twice", "expression": "$x * 2"}),
            groups=({"id": "room", "name": "Room", "devices": ["lamp"]},),
        )
        language = RuleParser(built_in())
        self.home.rules.language = language
        self.engine = RuleEngine(self.home, language, self.house.clock)
        self.engine.start()
        insight = Insight(self.home, language, self.engine)
        self.hub = msgspec.structs.replace(self.hub, rule_language=language, rule_insight=insight)
        self._calls = Calls(self.hub, self._calls.operations)

    def rule(self, text: str = WARM, rule_id: str = "warm", **config: Any) -> None:
        self.home.rules.add({"id": rule_id, "name": rule_id.title(), "rule": text, **config}, ADMIN.context)

    def warm(self, degrees: float) -> None:
        self.home.act("air", "changeTemperatureTo", {"temperature": degrees}, ADMIN.context)


@pytest.fixture
def desk() -> RuleDesk:
    return RuleDesk()


def somebody(**permissions: str) -> Caller:
    return Caller("bob", granted(permissions), Context("pimatic", user="bob"))


# ---------------------------------------------------------------------- traces


async def test_a_run_is_told_with_what_it_saw_and_did(desk: RuleDesk) -> None:
    desk.rule()
    desk.warm(20)
    desk.warm(26)
    (trace,) = await desk.ask("getRuleTraces", ruleId="warm")
    assert {name: trace[name] for name in ("ruleId", "time", "lastTime", "result", "trigger", "user", "times")} == {
        "ruleId": "warm",
        "time": MS,
        "lastTime": MS,
        "result": "ran",
        "trigger": "temperature of air > 25",
        "user": "admin",
        "times": 1,
    }
    (seen,) = trace["predicates"]
    assert (seen["token"], seen["value"], seen["values"]) == ("temperature of air > 25", True, {"air.temperature": 26})
    (did,) = trace["actions"]
    assert (did["token"], did["state"], did["time"]) == ("turn lamp on", "done", MS)
    assert trace["text"][0].startswith("ran: temperature of air > 25")
    assert await desk.ask("getRuleTrace", traceId=trace["id"]) == trace


async def test_traces_come_newest_first_and_piece_by_piece(desk: RuleDesk) -> None:
    desk.rule("when temperature of air > 25 and $x > 1 then turn lamp on")
    for degrees, number in ((26, 2), (20, 1), (27, 1), (20, 2), (28, 2)):
        desk.home.set_variable("x", number, ADMIN.context)
        desk.warm(degrees)
        desk.house.clock.advance(60)
    everything = await desk.ask("getRuleTraces", ruleId="warm")
    ids = [trace["id"] for trace in everything]
    assert ids == sorted(ids, reverse=True)
    assert [trace["result"] for trace in everything if trace["result"] == "ran"] == ["ran"] * 3
    first = await desk.ask("getRuleTraces", ruleId="warm", limit="1")
    rest = await desk.ask("getRuleTraces", ruleId="warm", before=first[0]["id"])
    assert first + rest == everything
    missed = await desk.ask("getRuleTraces", ruleId="warm", result="condition false")
    assert missed
    assert missed == [trace for trace in everything if trace["result"] == "condition false"]


@pytest.mark.parametrize(
    ("name", "given", "word"),
    [
        ("getRuleTraces", {"ruleId": "warm", "limit": 0}, "limit"),
        ("getRuleTraces", {"ruleId": "warm", "limit": 151}, "limit"),
        ("getRuleTraces", {"ruleId": "warm", "limit": True}, "limit"),
        ("getRuleTraces", {"ruleId": "warm", "before": 1e300}, "before"),
        ("getRuleTraces", {"ruleId": "warm", "result": "perhaps"}, "condition false"),
        ("getRuleTrace", {"traceId": "one"}, "traceId"),
        ("getRuleTrace", {"traceId": "9" * 40}, "traceId"),
        ("tryRule", {}, "ruleString"),
        ("tryRule", {"ruleString": WARM, "ruleId": "warm"}, "either"),
        ("tryRule", {"ruleString": "when nothing then that"}, "character"),
        ("tryRule", {"ruleString": WARM, "days": 29}, "28"),
        ("tryRule", {"ruleString": WARM, "days": 0}, "not 0"),
        ("tryRule", {"ruleString": WARM, "again": "often"}, "together"),
        ("getUpcoming", {"days": -1}, "28"),
        ("getUpcoming", {"days": "soon"}, "number"),
        ("why", {"name": 5}, "text"),
        ("checkRule", {"ruleString": ["when"]}, "text"),
        ("checkRule", {}, "missing"),
    ],
)
async def test_what_cannot_be_asked_is_refused_with_a_reason(
    desk: RuleDesk, name: str, given: dict[str, Any], word: str
) -> None:
    desk.rule()
    with desk.refuses(word):
        await desk.ask(name, **given)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("getRuleTraces", {"ruleId": "nope"}),
        ("getRuleTrace", {"traceId": "77"}),
        ("why", {"name": "lamp.nope"}),
        ("whatTouches", {"name": "nope"}),
        ("whatTouches", {"name": "$nope"}),
        ("tryRule", {"ruleId": "nope"}),
        ("triggerRule", {"ruleId": "nope"}),
    ],
)
async def test_what_is_not_there_is_not_found(desk: RuleDesk, name: str, given: dict[str, Any]) -> None:
    with desk.refuses("there is no", status=404):
        await desk.ask(name, **given)


def test_the_guide_has_every_operation_with_its_route_and_permission() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+) (\S+)` \| `([\w:]+)`", PAGE, re.MULTILINE)
    assert rows == [(each.name, each.methods[0], each.route, each.permission) for each in OPERATIONS]


def test_results_are_those_that_traces_have() -> None:
    assert set(RESULTS) == set(get_args(Result))


# ---------------------------------------------------------------------- why, and what touches what


async def test_why_leads_back_to_who_began_it(desk: RuleDesk) -> None:
    desk.rule()
    desk.warm(26)
    told = await desk.ask("why", name="lamp.state")
    assert (told["name"], told["value"]) == ("lamp.state", True)
    assert [link["kind"] for link in told["chain"]] == ["change", "rule", "change", "person"]
    rule = told["chain"][1]
    assert (rule["ruleId"], rule["time"]) == ("warm", MS)
    assert (await desk.ask("getRuleTrace", traceId=rule["traceId"]))["ruleId"] == "warm"
    assert told["chain"][-1]["user"] == "admin"
    assert told["sentence"].startswith("lamp.state is true since ")
    assert told["sentence"].endswith("admin, through pimatic")


@pytest.mark.parametrize("name", ["lamp.state", "switch.lamp", "$x", "x", "$twice"])
async def test_why_takes_attributes_entities_and_variables(desk: RuleDesk, name: str) -> None:
    assert (await desk.ask("why", name=name))["chain"]


@pytest.mark.parametrize("name", ["lamp", "lamp.state", "switch.lamp"])
async def test_what_touches_a_device(desk: RuleDesk, name: str) -> None:
    desk.rule()
    desk.rule("when lamp is on then set $x to 5", "follows")
    assert await desk.ask("whatTouches", name=name) == {
        "name": name,
        "readingRules": ["follows"],
        "actingRules": ["warm"],
        "groups": ["room"],
        "pages": [],
        "scenes": [],
        "computed": [],
        "entities": ["switch.lamp"],
    }


@pytest.mark.parametrize("name", ["$x", "x", "variable.x"])
async def test_what_touches_a_variable(desk: RuleDesk, name: str) -> None:
    desk.rule("when $twice > 5 then turn lamp on", "looks")
    desk.rule("when lamp is on then set $x to 5", "sets")
    told = await desk.ask("whatTouches", name=name)
    assert (told["readingRules"], told["actingRules"], told["computed"]) == (["looks"], ["sets"], ["twice"])


async def test_what_touches_something_tells_only_of_groups_and_pages_of_which_somebody_may_know(desk: RuleDesk) -> None:
    limits: dict[str, Any] = {"all": None, "hidden": ["admin"]}
    for page_id, roles in limits.items():
        devices: list[Any] = [{"deviceId": "lamp"}]
        desk.home.pages.add({"id": page_id, "name": page_id, "devices": devices, "allowedRoles": roles}, ADMIN.context)

    async def told(**permissions: str) -> tuple[object, object]:
        found = await desk.ask("whatTouches", caller=somebody(rules="read", **permissions), name="lamp")
        return found["groups"], found["pages"]

    assert await told() == ([], [])
    assert await told(groups="read") == (["room"], [])
    assert await told(pages="read") == ([], ["all"])
    assert await told(pages="read", config="read") == ([], ["all", "hidden"])


# ---------------------------------------------------------------------- sentences


async def test_a_good_sentence_says_what_it_reads_and_acts_on(desk: RuleDesk) -> None:
    assert await desk.ask("checkRule", ruleString="when $air.temperature > $x then turn lamp on") == {
        "valid": True,
        "error": None,
        "position": None,
        "condition": "$air.temperature > $x",
        "actions": "turn lamp on",
        "reads": [{"kind": "device", "name": "air"}, {"kind": "variable", "name": "x"}],
        "writes": [{"kind": "device", "name": "lamp"}],
        "remarks": [],
    }


async def test_a_good_sentence_says_which_of_its_words_mean_nothing(desk: RuleDesk) -> None:
    sentence = "when its 8:00 on mondya or its after 9:00 lamp is on then turn lamp on"
    told = await desk.ask("checkRule", ruleString=sentence)
    assert (told["valid"], told["error"]) == (True, None)
    assert told["remarks"] == [
        "in “its 8:00 on mondya” the words “on mondya” mean nothing and are left out",
        "in “its after 9:00 lamp is on” the words “lamp is on” mean nothing and are left out",
    ]


@pytest.mark.parametrize(
    ("sentence", "position"),
    [
        ("when lamp is on then turn lamp orange", 30),
        ("when lamp is purple then turn lamp on", 12),
        ("lamp is on", 0),
        ("when lamp is on", 15),
    ],
)
async def test_a_bad_sentence_says_where_it_goes_wrong(desk: RuleDesk, sentence: str, position: int) -> None:
    told = await desk.ask("checkRule", ruleString=sentence)
    assert (told["valid"], told["position"], told["reads"], told["remarks"]) == (False, position, [], [])
    assert told["error"]
    with desk.refuses():
        await desk.ask("addRuleByString", ruleId="r", rule={"name": "R", "ruleString": sentence})


async def test_trying_tells_what_would_have_been_and_touches_nothing(desk: RuleDesk) -> None:
    desk.warm(20)
    desk.house.clock.advance(60)
    desk.warm(30)
    desk.house.clock.advance(60)
    before = desk.house.everything()
    trial = await desk.ask("tryRule", ruleString=WARM, days=1)
    assert (trial["since"], trial["until"], trial["changes"]) == (MS, MS + 120_000, 2)
    (run,) = trial["runs"]
    assert (run["time"], run["result"], run["actions"][0]["text"]) == (
        MS + 60_000,
        "ran",
        "would let Lamp be turned on",
    )
    assert "ruleId" not in run
    assert desk.house.everything() == before


async def test_a_rule_that_there_is_can_be_tried_by_its_id(desk: RuleDesk) -> None:
    desk.rule("when temperature of air > 25 then turn lamp on after 10 seconds", again="restart")
    for _ in range(3):
        desk.warm(20)
        desk.warm(30)
        desk.house.clock.advance(1)
    desk.house.clock.advance(60)
    assert len((await desk.ask("tryRule", ruleId="warm"))["runs"]) == 3
    assert len((await desk.ask("tryRule", ruleId="warm", again="queue"))["runs"]) == 3
    states = [run["actions"][0]["state"] for run in (await desk.ask("tryRule", ruleId="warm"))["runs"]]
    assert states == ["called off", "called off", "done"]


async def test_trials_wait_for_each_other_and_too_many_are_refused(desk: RuleDesk) -> None:
    trials = [asyncio.ensure_future(desk.ask("tryRule", ruleString=WARM)) for _ in range(MOST_WAITING + 1)]
    await asyncio.sleep(0)
    with desk.refuses("tried already", status=503):
        await desk.ask("tryRule", ruleString=WARM)
    for given_up in trials[::2]:
        given_up.cancel()
    ended = await asyncio.gather(*trials, return_exceptions=True)
    assert [isinstance(each, dict) for each in ended] == [False, True] * 4 + [False]
    assert (await desk.ask("tryRule", ruleString=WARM))["runs"] == []


# ---------------------------------------------------------------------- what comes, and now


async def test_what_comes_up_is_told_in_order(desk: RuleDesk) -> None:
    desk.rule("when its 9:00 then turn lamp on", "early")
    desk.rule("when lamp is on for 10 minutes then turn lamp off", "off")
    desk.home.act("lamp", "changeStateTo", {"state": True}, ADMIN.context)
    told = await desk.ask("getUpcoming", days=2)
    assert [(each["ruleId"], each["kind"], each["text"], each["time"] - MS) for each in told] == [
        ("off", "lasting", "lamp is on", 600_000),
        ("early", "time", "its 9:00", 3_600_000),
        ("early", "time", "its 9:00", 90_000_000),
    ]
    assert len(await desk.ask("getUpcoming")) == 8


async def test_a_rule_is_triggered_whatever_its_condition_says(desk: RuleDesk) -> None:
    desk.rule()
    assert await desk.ask("triggerRule", ruleId="warm") is None
    assert desk.house.value("state", "lamp") is True
    (trace,) = await desk.ask("getRuleTraces", ruleId="warm")
    assert (trace["result"], trace["trigger"], trace["user"]) == ("ran", "asked for", "admin")


async def test_a_rule_that_is_off_cannot_be_triggered(desk: RuleDesk) -> None:
    desk.rule(active=False)
    with desk.refuses("warm", "switched off", status=404):
        await desk.ask("triggerRule", ruleId="warm")


# ---------------------------------------------------------------------- who may


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("getRuleTraces", {"ruleId": "warm"}),
        ("getRuleTrace", {"traceId": "1"}),
        ("why", {"name": "lamp.state"}),
        ("tryRule", {"ruleString": WARM}),
    ],
)
@pytest.mark.parametrize("lacking", ["rules", "devices", "variables"])
async def test_what_holds_values_is_for_those_who_may_read_values(
    desk: RuleDesk, name: str, given: dict[str, Any], lacking: str
) -> None:
    desk.rule()
    desk.warm(26)
    await desk.ask(name, caller=somebody(**READS), **given)
    with pytest.raises(Forbidden, match=f"{lacking}:read"):
        await desk.ask(name, caller=somebody(**{**READS, lacking: "none"}), **given)


async def test_the_past_is_for_those_who_may_read_it(desk: RuleDesk) -> None:
    with pytest.raises(Forbidden, match="events:read"):
        await desk.ask("tryRule", caller=somebody(**{**READS, "events": "none"}), ruleString=WARM)


@pytest.mark.parametrize("name", ["whatTouches", "getUpcoming", "checkRule"])
async def test_what_holds_no_values_is_for_those_who_may_read_rules(desk: RuleDesk, name: str) -> None:
    given = {"whatTouches": {"name": "lamp"}, "checkRule": {"ruleString": WARM}}.get(name, {})
    await desk.ask(name, caller=somebody(rules="read"), **given)
    with pytest.raises(Forbidden, match="rules:read"):
        await desk.ask(name, caller=somebody(devices="write", variables="write"), **given)


async def test_to_trigger_one_must_be_allowed_to_write_rules(desk: RuleDesk) -> None:
    desk.rule()
    with pytest.raises(Forbidden, match="rules:write"):
        await desk.ask("triggerRule", caller=somebody(**READS), ruleId="warm")
    assert desk.house.value("state", "lamp") is False


# ---------------------------------------------------------------------- over the socket


def test_the_socket_has_the_same_operations(start_hub: StartHub) -> None:
    hub = start_hub(
        """\
devices: [{id: lamp, class: DummySwitch, name: Lamp}]
rules: [{id: night, rule: "when its 23:00 then turn lamp on"}]
users: [{username: ann, password: secret, role: admin}]
"""
    )
    path = "/socket.io/?EIO=4&transport=polling&username=ann&password=secret"
    path += f"&sid={json.loads(hub.ask('GET', path, headers={}).body[1:])['sid']}"
    hub.ask("POST", path, body=b"40", headers={})
    calls = {"triggerRule": {"ruleId": "night"}, "getRuleTraces": {"ruleId": "night"}, "why": {"name": "lamp.state"}}
    for number, (action, params) in enumerate(calls.items()):
        call = {"id": str(number), "action": action, "params": params}
        hub.ask("POST", path, body=b"42" + json.dumps(["call", call]).encode(), headers={})
    told: dict[str, Any] = {}
    while len(told) < len(calls):
        packets = hub.ask("GET", path, headers={}).body.decode().split("\x1e")
        events = [json.loads(packet[2:]) for packet in packets if packet.startswith("42")]
        told |= {event[1]["id"]: event[1] for event in events if event[0] == "callResult"}
    assert [told[number]["success"] for number in ("0", "1", "2")] == [True] * 3
    assert told["1"]["result"]["traces"][0]["trigger"] == "asked for"
    assert told["2"]["result"]["why"]["sentence"].endswith("← ann, through pimatic")
