"""What the way from the configuration to a home promises: all that is right is there, all that is wrong has a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.definitions import check, populate
from hallway.home.home import Home
from hallway.language.expressions import parse
from hallway.settings import Problem, Settings, load


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
