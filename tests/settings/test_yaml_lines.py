"""What settings.yaml_lines promises: YAML becomes a tree or problems, both with lines, with and without libyaml."""

import re

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hallway.home.values import Value, encode
from hallway.settings import yaml_lines
from hallway.settings.yaml_lines import Problems, Unusable, compose
from hallway.settings.yaml_readers import Refused, did_you_mean, value_of

PARSERS = sorted({"SafeLoader"} | ({"CSafeLoader"} if yaml.__with_libyaml__ else set()))


@pytest.fixture(params=PARSERS, autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name = str(request.param)
    monkeypatch.setattr(yaml_lines, "_LOADER", getattr(yaml, name))
    return name


def outcome(text: str) -> tuple[Value, list[str]]:
    """What a text is worth, and what is wrong with it."""
    problems = Problems("a.yaml")
    value: Value = None
    try:
        node = compose(text, problems)
        value = None if node is None else value_of(node)
    except Refused as refused:
        for line, says, allowed in refused.faults:
            problems.add(line, f"it {says}", allowed)
    except Unusable:
        assert problems
    return value, [str(problem) for problem in problems.in_order()]


def value_in(text: str) -> Value:
    value, problems = outcome(text)
    assert problems == []
    return value


def problem_in(text: str) -> str:
    (problem,) = outcome(text)[1]
    return problem


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("off", "off"),
        ("yes", "yes"),
        ("NO", "NO"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        ('""', ""),
        ('"true"', "true"),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ("12", 12),
        ("-3", -3),
        ("+3", 3),
        ("0", 0),
        ("0x1F", 31),
        ("0o17", 15),
        ("0815", "0815"),
        ("00", "00"),
        ("1_000", "1_000"),
        ("9223372036854775807", 9223372036854775807),
        ("1.5", 1.5),
        ("-.5", -0.5),
        ("2.", 2.0),
        ("1e3", 1000.0),
        ("12:30", "12:30"),
        ("12:30:45", "12:30:45"),
        ("2024-05-01", "2024-05-01"),
        ("2024-05-01 12:00:00", "2024-05-01 12:00:00"),
        ("nan", "nan"),
        ("inf", "inf"),
        ("=", "="),
        ("|\n  two\n  lines\n", "two\nlines\n"),
        ("[a, {b: c, 1: off}]", ["a", {"b": "c", "1": "off"}]),
        ('"\\U0001F600"', "😀"),
        ("ünï ☃", "ünï ☃"),
    ],
)
def test_plain_words_are_read_as_yaml_1_2_says(written: str, value: Value) -> None:
    expected: Value = {"option": value}
    found = value_in(f"option: {written}\n")
    assert (found, repr(found)) == (expected, repr(expected))


@pytest.mark.parametrize(
    "written", [".nan", ".inf", "-.Inf", "1e999", "9223372036854775808", "-" + "9" * 5000, "0x" + "F" * 17]
)
def test_numbers_that_json_cannot_say_are_refused_unless_quoted(written: str) -> None:
    said = problem_in(f"a:\n  - x: {written}\n")
    assert said.startswith("a.yaml:2: it holds the number ")
    assert said.endswith(", put quotes around it if it is a text")
    assert len(said) < 200
    assert value_in(f'"{written}"') == written


def test_anchors_aliases_and_merge_keys_work() -> None:
    text = """\
- &lamp {id: a, class: Lamp, options: &o [1, 2]}
- {<<: *lamp, id: b, more: *o}
- {<<: [{x: 1, class: Other}, *lamp], id: c}
- {"<<": 1, id: d}
- {&k key: 1, other: *k}
"""
    assert value_in(text) == [
        {"id": "a", "class": "Lamp", "options": [1, 2]},
        {"id": "b", "class": "Lamp", "options": [1, 2], "more": [1, 2]},
        {"id": "c", "class": "Other", "x": 1, "options": [1, 2]},
        {"id": "d", "<<": 1},
        {"key": 1, "other": "key"},
    ]


def test_the_values_of_aliases_are_not_shared() -> None:
    value = value_in("- &o [1]\n- *o\n")
    assert value == [[1], [1]]
    assert isinstance(value, list)
    assert value[0] is not value[1]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("http:\n\tport: 1", 2, "a tab stands at the beginning of the line, indent with spaces"),
        ("a: b: c", 1, "put quotes around a text that holds a colon"),
        ("http:\n  host: a\n   port: 1", 3, "check the indentation"),
        ("home:\n  name: @home", 2, "put quotes around a text that begins with @, %, ` or a tab"),
        ("home:\n  name: 'a\n", 3, "in what begins in line 2), close the quotes or the bracket"),
        (
            "home: {name: a\nhttp: {}",
            2,
            "in what begins in line 1), check the indentation, the brackets and the quotes",
        ),
        ("home: {{ x }}", 1, "this key is not a text, put quotes around a text that begins with {"),
        ("home: {name: *x}", 1, 'nothing above is named &x, put quotes around "*x" if it is a text'),
        ("home: {}\nhttp: {}\nhome: {}", 3, "home is given twice, first in line 1, keep one of them"),
        ("log: {level: info,\n level: info}", 2, "level is given twice, first in line 1, keep one of them"),
        ("home: {}\n---\nhttp: {}", 2, "a second document begins here, keep everything in one: remove `---`"),
        ("home: {}\nlog: !!binary aGk=", 2, "the tag !!binary cannot be used here, write the value itself"),
        ("home: !!set {a, b}", 1, "the tag !!set cannot be used here"),
        ("home: !!python/object/apply:os.getcwd []", 1, "the tag !!python/object/apply:os.getcwd cannot be used here"),
        ("home: !include home.yaml", 1, "the tag !include cannot be used here"),
        ("home: !secret [a]", 1, "the tag !secret cannot be used here"),
        ("home: &a {name: *a}", 1, "*a stands inside &a itself, remove the alias"),
        ("devices: &a\n- *a", 2, "*a stands inside &a itself, remove the alias"),
        ("home: {<<: 1}", 1, "`<<` is given something else than mappings, name an anchor: `<<: *name`"),
        ("home: {[a]: 1}", 1, "this key is not a text"),
        ("home: {'': 1}", 1, "this key is not a text"),
        ("home: {*a : 1}", 1, "nothing above is named &a"),
        ("home:\n  name: a\x07", 2, "the sign U+0007 is not allowed in YAML, remove it"),
        ("log:\n- " + "[" * 60 + "]" * 60, 2, "this is nested more than 50 levels deep, make it flatter"),
        ("%YAML 7.0\n---\n", 1, "this is not YAML"),
    ],
)
def test_what_is_not_yaml_is_told_with_its_line(text: str, line: int, said: str) -> None:
    found = problem_in(text)
    assert found.startswith(f"a.yaml:{line}: ")
    assert said in found


@pytest.mark.parametrize("written", ['"\\ud800"', '"\\UFFFFFFFF"', "!%ff x", "!<", "&", "*", '"\\x"', "!a!b c"])
def test_broken_escapes_tags_and_anchors_are_told(written: str) -> None:
    assert re.match(r"a\.yaml:[1-3]: ", problem_in(f"home: {{}}\nlog: {written}\n"))


def test_a_million_laughs_are_refused() -> None:
    lines = ["a: &a [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]")
    said = "a.yaml:6: with its aliases the file holds more than 500000 values, use fewer"
    assert problem_in("\n".join(lines)) == said


def test_deep_nesting_of_any_size_is_refused() -> None:
    assert "nested more than 50 levels" in problem_in("[" * 1_000_000)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("prt", ", did you mean port?"),
        ("PORT", ", did you mean port?"),
        ("allowedroles", ", did you mean allowedRoles?"),
    ],
)
def test_the_nearest_known_word_is_suggested(word: str, said: str) -> None:
    assert did_you_mean(word, ["host", "port", "allowedRoles"]) == said


def test_nothing_is_suggested_when_nothing_is_near() -> None:
    assert did_you_mean("verbosity", ["host", "port"]) == ""


SIGNS = [
    ": ",
    "\n",
    "\n  ",
    "\n- ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "&a ",
    "*a",
    "<<: ",
    '"',
    "'",
    "\t",
    "#",
    "|",
    "1",
    "~",
]
FRAGMENTS = st.lists(st.sampled_from([*SIGNS, "!secret a", "!!str "]) | st.text(max_size=3), max_size=60).map("".join)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=FRAGMENTS | st.text(max_size=200))
def test_any_text_gives_a_value_or_problems_with_their_lines(text: str) -> None:
    value, problems = outcome(text)
    assert encode(value)
    for problem in problems:
        assert re.match(r"a\.yaml:[1-9][0-9]*: ", problem)
        assert len(problem.splitlines()) == 1
