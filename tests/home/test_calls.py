"""What calls promise: done once, told once, all together."""

from __future__ import annotations

from itertools import permutations

import pytest

from hallway.errors import Unreachable
from hallway.home.calls import Call, all_of, done

TROUBLE = Unreachable("nobody there")


def test_a_call_is_open_until_it_is_finished() -> None:
    call = Call()
    seen: list[Call] = []
    call.on_done(seen.append)
    assert (call.done, seen) == (False, [])
    call.finish()
    assert (call.done, call.error, seen) == (True, None, [call])


def test_a_call_that_fails_is_done_with_its_error() -> None:
    call = Call()
    call.fail(TROUBLE)
    assert (call.done, call.error) == (True, TROUBLE)


@pytest.mark.parametrize("first", ["finish", "fail"])
def test_only_the_first_end_counts(first: str) -> None:
    call = Call()
    seen: list[Call] = []
    call.on_done(seen.append)
    if first == "finish":
        call.finish()
    call.fail(TROUBLE)
    call.finish()
    call.fail(Unreachable("again"))
    assert seen == [call]
    assert call.error is (None if first == "finish" else TROUBLE)


def test_who_comes_late_is_told_at_once() -> None:
    seen: list[Call] = []
    call = done()
    call.on_done(seen.append)()
    assert seen == [call]


def test_who_listens_no_more_is_not_told() -> None:
    call = Call()
    seen: list[str] = []
    stop = call.on_done(lambda _call: seen.append("first"))
    call.on_done(lambda _call: seen.append("second"))
    stop()
    stop()
    call.finish()
    assert seen == ["second"]


def test_all_of_nothing_is_done() -> None:
    assert all_of([]).done
    assert all_of([done(), done()]).done


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_all_are_done_when_the_last_one_is(order: tuple[int, ...]) -> None:
    calls = [Call(), Call(), Call()]
    whole = all_of([*calls, done()])
    for number in order:
        assert not whole.done
        calls[number].finish()
    assert (whole.done, whole.error) == (True, None)


def test_the_first_error_ends_all() -> None:
    calls = [Call(), Call(), Call()]
    whole = all_of(calls)
    calls[1].finish()
    calls[2].fail(TROUBLE)
    assert (whole.done, whole.error) == (True, TROUBLE)
    calls[0].fail(Unreachable("another"))
    assert whole.error is TROUBLE


def test_a_call_that_has_failed_already_ends_all() -> None:
    failed = Call()
    failed.fail(TROUBLE)
    assert all_of([done(), failed, Call()]).error is TROUBLE


def test_all_are_told_once() -> None:
    calls = [Call(), Call()]
    seen: list[Call] = []
    whole = all_of(calls)
    whole.on_done(seen.append)
    for call in calls:
        call.finish()
        call.finish()
    assert seen == [whole]
