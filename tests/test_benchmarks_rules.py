"""What the benchmark of rules promises: it measures what it says, and a wrong answer ends it.

Every run is as short as it can be, and no time is compared with anything.
"""

import json

import pytest

from benchmarks import rule_engine, rule_language, rules
from benchmarks.company import Company
from benchmarks.errors import BenchmarkError
from benchmarks.measure import Plan
from benchmarks.rule_engine import Case, Measured, RuledHome, cases
from benchmarks.rule_language import LargeHome, device_config
from benchmarks.rules import RuleAdditions
from benchmarks.servers import Server
from benchmarks.stopwatch import middle_us, p99_us, time_calls
from benchmarks.table import CHANGES, COMPARISON, LANGUAGE

TINY = Plan(seconds=0.05, repeats=1, connections=2)
NOWHERE = Server("hub", "127.0.0.1", 1, ("X", "y"), None)


# The stopwatch


def test_each_call_is_timed_and_what_is_done_before_is_not() -> None:
    done: list[str] = []
    seconds = time_calls(lambda: done.append("call"), 3, lambda: done.append("before"))
    assert done == ["before", "call"] * 3
    assert len(seconds) == 3
    assert min(seconds) >= 0


def test_the_middle_and_the_slowest_of_a_hundred_are_microseconds() -> None:
    seconds = [number / 1e6 for number in range(1, 102)]
    assert middle_us(seconds) == pytest.approx(51)
    assert p99_us(seconds) == pytest.approx(100)


# Reading


def test_sentences_and_hints_have_a_row_each_and_a_target() -> None:
    report = rule_language.run(devices=100, rounds=(1, 1))
    assert report.headings == LANGUAGE
    assert [row[0] for row in report.rows] == ["10 rules", "20 hints"]
    assert all(float(cell.replace(",", "")) > 0 for row in report.rows for cell in row[1:])
    assert [target.unit for target in report.targets] == ["µs", "ms"]


def test_what_is_not_proposed_ends_the_run() -> None:
    house = LargeHome(8)
    with pytest.raises(BenchmarkError, match="'device-9' is not proposed"):
        house.hints(house.parser.condition_hints, "device-", "device-9")


def test_a_device_more_is_there_before_each_reading() -> None:
    house = LargeHome(8)
    seen: list[list[str]] = []
    house.read("", lambda: seen.append(list(house.home.devices)[8:]), (2, 2))
    assert seen == [[], [], [], ["device-8"], ["device-9"]]


def test_devices_of_all_classes_are_there() -> None:
    assert {config["class"] for config in map(device_config, range(8))} == set(rule_language.CLASSES)
    assert device_config(7)["buttons"] == [{"id": "button-7", "text": "Press 7"}]


# Changes


def test_every_case_has_a_row_and_rules_elsewhere_are_compared_with_none() -> None:
    report = rule_engine.run(rules=5, others=20, rounds=2, turns=2)
    assert report.headings == CHANGES
    names = [row[0] for row in report.rows]
    later = ["5 rules, the traces of that when they are written", "no rules", "20 rules on other variables"]
    assert names == [*(f"5 rules, {case.name}" for case in cases(5)), *later]
    assert len(report.targets) == len(cases(5)) + 1


def test_a_case_whose_rules_decide_otherwise_ends_the_run() -> None:
    wrong = Case("none", lambda index: f'when $x > {index} then log "high"', 0, rising=True)
    with pytest.raises(BenchmarkError, match="none: 2 rules decided in 1 changes, not 0 in each"):
        Measured(wrong, 2).go_on(1)


def test_rules_of_a_home_run() -> None:
    home = RuledHome(['when $x > 5 then log "high"'])
    assert len(home.count_up(10)) == 10
    assert home.evaluated() == 1


# Over HTTP


def test_a_hub_with_rules_is_measured_beside_one_without() -> None:
    report = rules.over_http(Company(None), TINY, rules=4)
    assert report.headings == COMPARISON
    assert [row[:2] for row in report.rows] == [(rules.WORK, name) for name in ("hub 0", "hub 4", "raw")]
    (target,) = report.targets
    assert target.at_least


def test_without_the_hub_there_is_nothing_to_measure() -> None:
    assert rules.run(Company(None, with_hub=False), TINY) == []


def test_each_addition_is_another_rule() -> None:
    additions = RuleAdditions(NOWHERE, ["a", "b"])
    requests = [additions(0)[0] for _ in range(3)]
    assert [request.split()[1] for request in requests] == [b"/api/rules/rule-%d" % number for number in range(3)]
    bodies = [json.loads(request.partition(b"\r\n\r\n")[2]) for request in requests]
    assert [body["rule"]["ruleString"].split()[1] for body in bodies] == ["$a", "$b", "$a"]
