"""What the way from the configuration to a home promises: all that is right is there, all that is wrong has a line."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, cast

import pytest

from hallway.clock import VirtualClock
from hallway.definitions import KeptOfKind, check, load_kept, nothing_kept, populate
from hallway.errors import InvalidInput
from hallway.home.changes import Kind
from hallway.home.home import Home
from hallway.home.values import Attributes
from hallway.language.expressions import parse
from hallway.settings import Problem, Settings, load
from hallway.store.definitions import Definition


@pytest.fixture
def home() -> Home:
    return Home(VirtualClock(), language=parse)


def configured(directory: Path, text: str) -> Settings:
    (directory / "configuration.yaml").write_text(text, "utf-8")
    return load(directory)


def told(problems: tuple[Problem, ...]) -> list[str]:
    return [f"{problem.where}: {problem.what} {problem.allowed}".strip() for problem in problems]


def test_devices_variables_and_groups_are_taken_into_the_home(home: Home, tmp_path: Path) -> None:
    settings = configured(
        tmp_path,
        """
devices:
  - {id: lamp, class: DummyDimmer, name: Lamp}
  - {id: fan, class: DummySwitch}
variables:
  - {name: sum, expression: "$x + $lamp.dimlevel"}
  - {name: x, value: "5", unit: W}
groups:
  - {id: all, name: Everything, devices: [lamp, fan]}
""",
    )
    assert populate(home, settings) == ((), ())
    assert {state.entity_id: state.state for state in home.states()} == {
        "light.lamp": "off",
        "switch.fan": "off",
        "variable.sum": "5",
        "variable.x": "5",
        "group.all": "off",
    }
    assert home.device("lamp").source == "file"
    assert home.groups.get("all").devices == ("lamp", "fan")
    assert check(settings, parse) == ()


def test_an_empty_configuration_is_an_empty_home(home: Home, tmp_path: Path) -> None:
    assert populate(home, configured(tmp_path, "")) == ((), ())
    assert home.states() == []


def test_a_device_that_cannot_be_used_is_parked_and_the_rest_goes_on(home: Home, tmp_path: Path) -> None:
    settings = configured(
        tmp_path,
        """
devices:
  - {id: a, class: DummySwich}
  - {id: b, class: DummyShutter, rollingTime: fast}
  - {id: c, class: reported}
  - {id: d, class: DummySwitch}
""",
    )
    parked, problems = populate(home, settings)
    assert problems == ()
    assert told(parked) == [
        "configuration.yaml:3: device a: there is no device class 'DummySwich', did you mean DummySwitch?",
        "configuration.yaml:4: device b: class DummyShutter: rollingTime must be a JSON number, not string 'fast'",
        "configuration.yaml:5: device c: class reported is the hub's own and cannot be used in a definition",
    ]
    assert [state.entity_id for state in home.states()] == ["problem.a", "problem.b", "problem.c", "switch.d"]
    assert home.device("a").error == "there is no device class 'DummySwich', did you mean DummySwitch?"
    assert check(settings, parse) == parked


def test_a_device_whose_id_is_taken_already_is_a_problem_and_leaves_the_other_alone(home: Home, tmp_path: Path) -> None:
    home.add_device({"id": "lamp", "class": "DummySwitch"}, "store")
    parked, _ = populate(home, configured(tmp_path, "devices:\n  - {id: lamp, class: DummyDimmer}\n"))
    assert told(parked) == ["configuration.yaml:2: device lamp: there is a device lamp already"]
    assert home.device("lamp").class_name == "DummySwitch"
    assert home.device("lamp").error is None


def test_variables_and_groups_that_are_wrong_have_their_lines(home: Home, tmp_path: Path) -> None:
    settings = configured(
        tmp_path,
        """
devices:
  - {id: lamp, class: DummyDimmer}
variables:
  - {name: good, value: 1}
  - {name: bad, expression: "$nobody * 2"}
  - {name: worse, expression: "$good +"}
groups:
  - {id: all, devices: [lamp, lmap, other]}
  - {id: fine, devices: [lamp]}
""",
    )
    parked, problems = populate(home, settings)
    assert parked == ()
    lines = told(problems)
    assert [line.split(": ")[0] for line in lines] == [f"configuration.yaml:{number}" for number in (6, 7, 9)]
    assert "$nobody" in lines[0]
    assert lines[2] == "configuration.yaml:9: group all: there is no device lmap, other there are: lamp"
    assert check(settings, parse) == problems


def test_variables_in_a_circle_are_a_problem_of_the_line_that_closes_it(home: Home, tmp_path: Path) -> None:
    settings = configured(
        tmp_path,
        """
variables:
  - {name: x, value: 1}
  - {name: a, expression: "$b + $x"}
  - {name: b, expression: "$a"}
""",
    )
    _, problems = populate(home, settings)
    assert told(problems) == ["configuration.yaml:5: $b would depend on itself: $b → $a → $b"]


def test_definitions_that_will_not_do_what_was_meant_are_told_by_the_check(home: Home, tmp_path: Path) -> None:
    settings = configured(
        tmp_path,
        """
devices:
  - {id: lamp, class: DummyDimmer}
  - {id: field, class: VariableInputDevice, variable: nobody}
  - {id: shown, class: VariablesDevice, variables: [{name: q, expression: "$lamp.nothing + 1"}]}
variables:
  - {name: x, value: 1}
rules:
  - {id: r, name: R, rule: "when $x > 1 then turn lamp on"}
groups:
  - {id: all, devices: [lamp], rules: [r, gone], variables: [x, missing]}
""",
    )
    assert populate(home, settings) == ((), ())
    lines = told(check(settings, parse))
    assert [line.split(": ")[:2] for line in lines] == [
        ["configuration.yaml:4", "device field"],
        ["configuration.yaml:5", "device shown"],
        ["configuration.yaml:11", "group all"],
    ]
    assert "$nobody" in lines[0]
    assert "q is not computed" in lines[1]
    assert lines[2].endswith("there is no rule gone, no variable missing")


def test_checking_starts_nothing(tmp_path: Path) -> None:
    settings = configured(tmp_path, "devices:\n  - {id: lamp, class: DummyDimmer}\n")
    assert check(settings, parse) == ()
    assert [path.name for path in tmp_path.iterdir()] == ["configuration.yaml"]


# ---------------------------------------------------------------------- what the store kept


def stored(**kinds: Any) -> KeptOfKind:
    """What a store has: bodies by kind and id, numbered in order."""
    numbers = itertools.count(1)
    found = {
        kind: {key: Definition(kind, key, 1, 0.0, None, "test", body, seq, seq) for key, body in bodies.items()}
        for kind, bodies in kinds.items()
        for seq in [next(numbers)]
    }
    return lambda kind: found.get(kind, {})


def test_what_the_store_kept_comes_after_what_the_file_declares(home: Home, tmp_path: Path) -> None:
    settings = configured(
        tmp_path,
        """
devices: [{id: lamp, class: DummyDimmer}]
variables: [{name: x, value: 5}]
groups: [{id: g, devices: [lamp]}]
pages: [{id: p, name: Page, devices: [{deviceId: lamp}]}]
rules: [{id: r, name: Rule, rule: "when fan is on then turn lamp on", active: off}]
""",
    )
    kept = stored(
        device={"fan": {"id": "fan", "class": "DummySwitch", "name": "Fan"}},
        variable={
            "sum": {"name": "sum", "expression": "$x + $y", "unit": "W"},
            "y": {"name": "y", "value": 2, "unit": "W"},
        },
        group={"h": {"id": "h", "name": 5, "devices": ["fan", "gone"]}},
        page={"q": {"id": "q", "devices": [{"deviceId": "fan"}], "allowedRoles": ["admin"]}},
        rule={"s": {"id": "s", "name": "S", "rule": "if lamp is on then turn fan on"}},
    )
    assert populate(home, settings, kept) == ((), ())
    assert {device.id: device.source for device in home.devices.values()} == {"lamp": "file", "fan": "store"}
    assert {v.name: (v.value, v.unit, v.source) for v in home.variables} == {
        "x": (5, "", "file"),
        "sum": (7, "W", "store"),
        "y": (2, "W", "store"),
    }
    assert [(group.id, group.source) for group in home.groups.all()] == [("g", "file"), ("h", "store")]
    assert [(page.id, page.source) for page in home.pages.all()] == [("p", "file"), ("q", "store")]
    assert [(rule.id, rule.active, rule.source) for rule in home.rules.all()] == [
        ("r", False, "file"),
        ("s", True, "store"),
    ]
    assert home.rules.get("s").text == "when lamp is on then turn fan on"


def test_what_stands_in_both_is_that_of_the_file(home: Home, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = configured(
        tmp_path,
        """
devices: [{id: a, class: DummyDimmer}]
variables: [{name: a, value: 5}]
groups: [{id: a, name: File}]
pages: [{id: a, name: File}]
rules: [{id: a, name: File, rule: "when x then y"}]
""",
    )
    kept = stored(
        device={"a": {"id": "a", "class": "DummySwitch"}},
        variable={"a": {"name": "a", "value": 6}},
        group={"a": {"id": "a", "name": "Store"}},
        page={"a": {"id": "a", "name": "Store"}},
        rule={"a": {"id": "a", "name": "Store", "rule": "when x then y"}},
    )
    assert populate(home, settings, kept) == ((), ())
    assert home.device("a").class_name == "DummyDimmer"
    assert home.variables.get("a").value == 5
    names = [home.groups.get("a").name, home.pages.get("a").name, home.rules.get("a").name]
    assert names == ["File"] * 3
    assert caplog.text.count("of the store is left out") == 5


def test_a_kept_device_that_cannot_be_used_any_more_is_parked(home: Home) -> None:
    load_kept(home, stored(device={"a": {"id": "a", "class": "Gone"}, "b": {"id": "b", "class": "DummySwitch"}}))
    assert home.device("a").error is not None
    assert home.device("a").source == "store"
    assert home.device("b").error is None


@pytest.mark.parametrize("kind", ["device", "variable", "rule", "page", "group"])
def test_what_makes_no_sense_in_the_store_is_left_out_and_the_rest_comes(
    home: Home, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    good: Attributes = {"id": "good", "name": "good", "class": "DummySwitch", "rule": "when x then y", "value": 1}
    if kind == "device":
        good = {"id": "good", "class": "DummySwitch"}
    bad: Attributes = {"id": None, "name": None}
    load_kept(home, stored(**{kind: {"bad": bad, "good": good}}))
    assert home.order(cast("Kind", kind)) == ("good",)
    assert "of the store is left out" in caplog.text
    assert "parked" not in caplog.text


def test_a_rule_that_cannot_be_read_stays_and_its_line_is_told(home: Home, tmp_path: Path) -> None:
    def reads_nothing(_text: str, _home: Home) -> None:
        raise InvalidInput("that is no predicate")

    home.rules.language = reads_nothing
    settings = configured(tmp_path, 'rules:\n  - {id: a, rule: "when x then y"}\n  - {id: b, rule: nonsense}\n')
    parked, problems = populate(home, settings, stored(rule={"c": {"id": "c", "name": "C", "rule": "when x then y"}}))
    assert problems == ()
    lines = told(parked)
    assert lines[0] == "configuration.yaml:2: rule a does not run: that is no predicate"
    assert lines[1].startswith("configuration.yaml:3: rule b does not run: a rule must begin with `when`")
    assert [(rule.id, rule.valid, rule.active) for rule in home.rules.all()] == [
        (rule_id, False, False) for rule_id in "abc"
    ]
    assert check(settings, parse, reads_nothing) == parked


def test_a_page_that_is_wrong_is_a_problem_with_its_line(home: Home, tmp_path: Path) -> None:
    settings = configured(tmp_path, 'pages:\n  - {id: "p"}\n')
    home.pages.add({"id": "p"})
    _, problems = populate(home, settings)
    assert told(problems) == ["configuration.yaml:2: there is a page p already"]


def test_orders_come_back_with_what_came_later_behind(home: Home) -> None:
    groups: dict[str, Attributes] = {key: {"id": key} for key in "abc"}
    kept = stored(
        group=groups,
        device={key: {"id": key, "class": "DummySwitch"} for key in "abc"},
        order={
            "group": {"order": ["gone", "c", "b"]},
            "device": {"order": ["b"]},
            "user": {"order": ["x"]},
            "page": {"order": "nonsense"},
        },
    )
    load_kept(home, kept)
    assert [group.id for group in home.groups.all()] == ["c", "b", "a"]
    assert list(home.devices) == ["b", "a", "c"]
    late = Home(VirtualClock(), language=parse)
    load_kept(late, stored(order={"group": {"order": ["c", "b", "a"]}}, group=groups))
    assert [group.id for group in late.groups.all()] == ["a", "b", "c"], "the order was made before they came"


def test_without_a_store_nothing_is_kept(home: Home) -> None:
    load_kept(home, nothing_kept)
    assert home.states() == []
