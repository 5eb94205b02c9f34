"""What variables promise: values as they are set, expressions computed once in the right order, no circles."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallway.clock import VirtualClock
from hallway.errors import Conflict, HallwayError, InvalidInput, NotFound
from hallway.home.changes import Defined
from hallway.home.home import Home
from hallway.home.variables import Scope, Variables, as_value
from hallway.language.expressions import parse
from tests.home.homes import NOW, TEST, House, a_device


@pytest.mark.parametrize(
    ("given_value", "value"),
    [
        ("007", 7),
        ("5.", 5),
        ("1.10", 1.1),
        ("-0", 0),
        ("-3.5", -3.5),
        ("5.0", 5),
        ("9007199254740993", 9007199254740992.0),
        ("12345678901234567890", 12345678901234567890.0),
        pytest.param("9" * 400, "9" * 400, id="beyond all numbers"),
        ("1e5", "1e5"),
        (".5", ".5"),
        ("+5", "+5"),
        (" 5", " 5"),
        ("1,5", "1,5"),
        ("0x10", "0x10"),
        ("true", "true"),
        ("", ""),
        ("٣", "٣"),
        (True, True),
        (5.0, 5.0),
        (None, None),
        ([1, "2"], [1, "2"]),
        ({"a": "1"}, {"a": "1"}),
    ],
)
def test_a_text_that_is_a_plain_number_becomes_one(given_value: Any, value: Any) -> None:
    assert as_value(given_value) == value
    assert type(as_value(given_value)) is type(value)
    house = House(variables=({"name": "x", "value": given_value},))
    assert house.home.value("x") == value
    house.home.set_variable("x", "before", TEST)
    house.home.set_variable("x", given_value, TEST)
    assert house.home.value("x") == value


def test_a_variable_is_found_or_there_is_none() -> None:
    variables = House(variables=({"name": "x", "value": 1},)).home.variables
    assert variables.find("x") is variables.get("x")
    assert variables.find("y") is None


def test_a_variable_shows_as_an_entity() -> None:
    house = House(
        variables=(
            {"name": "outside", "value": "21.5", "unit": "°C"},
            {"name": "nothing"},
            {"name": "twice", "expression": "$outside * 2", "unit": "°C"},
        )
    )
    assert house.shows("variable.outside") == ("21.5", {"friendly_name": "$outside", "unit_of_measurement": "°C"})
    assert house.shows("variable.nothing") == ("unknown", {"friendly_name": "$nothing"})
    assert house.shows("variable.twice") == (
        "43",
        {"friendly_name": "$twice", "unit_of_measurement": "°C", "expression": "$outside * 2"},
    )
    assert house.home.unit("outside") == "°C"
    assert house.home.unit("nothing") == ""


def test_each_set_is_a_change_also_of_the_same_value() -> None:
    house = House(variables=({"name": "x", "value": 1},))
    house.clock.advance(5)
    house.home.set_variable("x", 1, TEST)
    house.home.set_variable("x", 2, TEST)
    assert [(change.name, change.old, change.new, len(change.states)) for change in house.sets()] == [
        ("x", 1, 1, 0),
        ("x", 1, 2, 1),
    ]
    assert house.shown("variable.x").last_changed == NOW + 5


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("gone", NotFound, ("$gone",)),
        ("double", InvalidInput, ("$double", "computed")),
        ("it.state", InvalidInput, ("$it.state", "attribute of a device")),
        ("it.gone", InvalidInput, ("$it.gone", "attribute of a device")),
    ],
)
def test_only_a_variable_that_holds_its_value_can_be_set(
    name: str, error: type[HallwayError], words: tuple[str, ...]
) -> None:
    variables = ({"name": "x", "value": 1}, {"name": "double", "expression": "$x * 2"})
    house = House(a_device("DummySwitch"), variables=variables)
    with house.refuses(error, *words):
        house.home.set_variable(name, 5, TEST)


@pytest.mark.parametrize("name", ["", "a b", "ü", "a.b", "$x", None, 5, ["x"]])
def test_names_are_letters_digits_hyphen_and_underscore(name: Any) -> None:
    house = House()
    with house.refuses(InvalidInput, "variable name", "letters, digits, - and _"):
        house.home.add_variable({"name": name, "value": 1})


@pytest.mark.parametrize("text", ["$gone", "$x +", "", "(", "$x.y", "$it.gone"])
def test_what_is_no_expression_here_is_refused(text: str) -> None:
    house = House(a_device("DummySwitch"), variables=({"name": "x", "value": 1},))
    before = house.everything()
    with pytest.raises(HallwayError):
        house.home.add_variable({"name": "y", "expression": text})
    assert house.everything() == before
    with pytest.raises(NotFound):
        house.home.value("y")


def test_an_expression_may_name_a_state_that_is_reported_later() -> None:
    house = House()
    house.home.add_variable({"name": "wet", "expression": "$weather-today.state"})
    assert house.home.value("wet") is None
    house.home.report("weather.today", "rain", {}, TEST)
    assert house.home.value("wet") == "rain"
    house.home.report("weather.today", "sun", {}, TEST)
    assert house.home.value("wet") == "sun"


def test_a_variable_with_a_dot_after_it_is_no_state_to_come() -> None:
    variables = ({"name": "price", "value": 5}, {"name": "text", "expression": '"it costs $price.00"'})
    assert House(variables=variables).home.value("text") == "it costs 5.00"


def test_a_home_without_language_has_no_expressions() -> None:
    home = Home(VirtualClock())
    home.add_variable({"name": "x", "value": 1})
    with pytest.raises(InvalidInput, match="no expression language"):
        home.add_variable({"name": "y", "expression": "$x"})


def test_variables_that_use_each_other_may_stand_in_any_order() -> None:
    house = House(
        variables=(
            {"name": "c", "expression": "$b + 1"},
            {"name": "b", "expression": "$a + 1"},
            {"name": "a", "value": 1},
        )
    )
    assert [house.home.value(name) for name in "abc"] == [1, 2, 3]


def test_of_several_variables_all_come_or_none() -> None:
    house = House()
    with house.refuses(InvalidInput, "'b c'"):
        house.home.add_variables(({"name": "a", "value": 1}, {"name": "b c"}))


@pytest.mark.parametrize(
    ("expressions", "circle"),
    [
        ({"a": "$a"}, "$a → $a"),
        ({"a": "$b", "b": "$a"}, "$b → $a → $b"),
        ({"a": "$b", "b": "$c", "c": "$x + $a"}, "$c → $a → $b → $c"),
    ],
)
def test_variables_that_depend_on_themselves_are_refused_when_they_are_made(
    expressions: dict[str, str], circle: str
) -> None:
    house = House(variables=({"name": "x", "value": 1},))
    configs: Any = tuple({"name": name, "expression": text} for name, text in expressions.items())
    with house.refuses(Conflict, circle, "depend on itself"):
        house.home.add_variables(configs)
    assert house.home.value_names() == {"x"}


def test_a_definition_that_closes_a_circle_is_refused() -> None:
    house = House(variables=({"name": "a", "value": 1}, {"name": "b", "expression": "$a + 1"}))
    with house.refuses(Conflict, "$a → $b → $a"):
        house.home.change_variable({"name": "a", "expression": "$b"}, TEST)
    assert house.home.value("b") == 2


def test_a_set_of_definitions_may_turn_a_dependency_round() -> None:
    house = House(variables=({"name": "a", "value": 1}, {"name": "b", "expression": "$a + 1"}))
    house.home.add_variables(({"name": "a", "expression": "$b * 10"}, {"name": "b", "value": 5}))
    assert (house.home.value("a"), house.home.value("b")) == (50, 5)
    house.home.set_variable("b", 6, TEST)
    assert house.home.value("a") == 60


def test_a_definition_takes_the_place_of_the_one_of_its_name() -> None:
    house = House(
        variables=({"name": "a", "value": 1}, {"name": "b", "expression": "$a + 1"}, {"name": "c", "expression": "$b"})
    )
    house.home.add_variables(({"name": "b", "value": 10},))
    assert house.home.value("c") == 10
    house.home.set_variable("a", 7, TEST)
    assert house.home.value("b") == 10
    assert [type(change) for change in house.changes[:1]] == [Defined]


def test_a_variable_follows_attributes_of_devices() -> None:
    house = House(a_device("DummyDimmer"), variables=({"name": "share", "expression": "$it.dimlevel / 100"},))
    house.act("it", "changeDimlevelTo", dimlevel=40)
    assert house.home.value("share") == 0.4
    update, computed = house.updates()[0], house.sets()[0]
    assert computed.context == TEST.following("formula", update.seq)


def test_what_a_device_has_not_measured_yet_is_not_computed_with_and_reads_undefined() -> None:
    house = House(
        a_device("DummyTemperatureSensor", "t"),
        variables=(
            {"name": "fahrenheit", "expression": "$t.temperature * 1.8 + 32"},
            {"name": "text", "expression": '"it is $t.temperature"'},
        ),
    )
    assert house.shown("variable.fahrenheit").state == "unknown"
    assert house.shown("variable.text").state == "it is undefined"
    with pytest.raises(NotFound, match=r"t\.temperature has no value yet"):
        house.home.value("t.temperature")
    house.act("t", "changeTemperatureTo", temperature=20)
    assert house.home.value("fahrenheit") == 68
    assert house.home.value("text") == "it is 20"


def test_a_variable_keeps_its_value_while_it_cannot_be_computed() -> None:
    house = House(variables=({"name": "x", "value": 2}, {"name": "y", "expression": "$x * 2"}))
    house.home.set_variable("x", "text", TEST)
    assert house.home.value("y") == 4
    house.home.set_variable("x", 5, TEST)
    assert house.home.value("y") == 10


def test_a_name_that_nobody_has_has_no_value() -> None:
    house = House(a_device("DummySwitch"))
    for name in ("gone", "gone.state", "it.gone"):
        with pytest.raises(NotFound):
            house.home.value(name)


# How often and in which order things are computed.


class Counted:
    """A language that notes each evaluation."""

    def __init__(self) -> None:
        self.evaluated: list[str] = []

    def __call__(self, text: str, names: Collection[str]) -> _Counted:
        return _Counted(self, text, parse(text, names))


class _Counted:
    def __init__(self, counter: Counted, text: str, inner: Any) -> None:
        self._counter = counter
        self._inner = inner
        self.text = text
        self.variables: frozenset[str] = inner.variables

    def evaluate(self, scope: Scope) -> Any:
        self._counter.evaluated.append(self.text)
        return self._inner.evaluate(scope)

    def unit(self, scope: Scope) -> str:
        return str(self._inner.unit(scope))


def test_a_change_computes_what_depends_on_it_once_and_sources_first() -> None:
    counted = Counted()
    home = Home(VirtualClock(), language=counted)
    home.add_device(a_device("DummyDimmer"), "file")
    home.add_variables(
        (
            {"name": "z", "expression": "$left + $right + $it.state"},
            {"name": "left", "expression": "$top + 1"},
            {"name": "right", "expression": "$top + $left"},
            {"name": "top", "expression": "$it.dimlevel + $x"},
            {"name": "x", "value": 1},
            {"name": "apart", "expression": "$y * 2"},
            {"name": "y", "value": 1},
        )
    )
    counted.evaluated.clear()
    home.set_variable("x", 2, TEST)
    assert counted.evaluated == ["$it.dimlevel + $x", "$top + 1", "$top + $left", "$left + $right + $it.state"]
    counted.evaluated.clear()
    home.act("it", "changeDimlevelTo", {"dimlevel": 10}, TEST)
    assert sorted(counted.evaluated) == sorted(set(counted.evaluated))
    assert len(counted.evaluated) == 4
    counted.evaluated.clear()
    home.set_variable("y", 5, TEST)
    assert counted.evaluated == ["$y * 2"]
    counted.evaluated.clear()
    home.fire("nothing", {}, TEST)
    assert counted.evaluated == []


GRAPHS = st.integers(2, 8).flatmap(
    lambda size: st.lists(st.sets(st.integers(0, size - 1)), min_size=size, max_size=size)
)


@given(GRAPHS, st.data())
def test_of_any_graph_each_is_computed_once_after_its_sources_and_circles_are_refused(
    graph: list[set[int]], data: st.DataObject
) -> None:
    counted = Counted()
    home = Home(VirtualClock(), language=counted)
    home.add_variable({"name": "base", "value": 1})
    texts = {f"v{i}": " + ".join(["$base", *(f"$v{j}" for j in sorted(sources))]) for i, sources in enumerate(graph)}
    configs: Any = tuple({"name": name, "expression": text} for name, text in texts.items())
    has_circle = _has_circle(graph)
    if has_circle:
        with pytest.raises(Conflict, match="depend on itself"):
            home.add_variables(configs)
        assert home.value_names() == {"base"}
        return
    home.add_variables(configs)
    counted.evaluated.clear()
    base = data.draw(st.integers(-5, 5))
    home.set_variable("base", base, TEST)
    assert len(counted.evaluated) == len(graph)
    expected: dict[int, int] = {}

    def value_of(node: int) -> int:
        if node not in expected:
            expected[node] = base + sum(value_of(source) for source in graph[node])
        return expected[node]

    assert [home.value(f"v{i}") for i in range(len(graph))] == [value_of(i) for i in range(len(graph))]


def _has_circle(graph: list[set[int]]) -> bool:
    left = {node: set(sources) for node, sources in enumerate(graph)}
    while left:
        free = [node for node, sources in left.items() if not sources]
        if not free:
            return True
        for node in free:
            del left[node]
        left = {node: sources - set(free) for node, sources in left.items()}
    return False


def test_who_is_computed_no_more_depends_on_nothing() -> None:
    variables = Variables(parse)
    formula = variables.parse("y", "$x + $d.a", {"x", "d.a"})
    variables.bind("y", formula)
    assert variables.are_sources(["x"])
    assert set(variables.sources_in("d")) == {"d.a"}
    assert [node for node, _ in variables.affected(["x", "d.a"])] == ["y"]
    variables.bind("y", None)
    assert not variables.are_sources(["x", "d.a"])
    assert not variables.sources_in("d")
    assert variables.affected(["x"]) == []
