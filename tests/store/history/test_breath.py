"""Whoever works long lets others go on now and then: after so much, and not for every little thing."""

from __future__ import annotations

from hallway.store.history.breath import EACH, EVERY, FIRST, Breath


class Stops:
    """Counts them."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def test_there_is_no_stop_for_a_little() -> None:
    stops = Stops()
    Breath(stops).spend(FIRST - EACH)
    assert stops.count == 0


def test_there_is_a_stop_after_so_much_and_again() -> None:
    stops = Stops()
    breath = Breath(stops)
    breath.spend(FIRST)
    for _ in range(10):
        breath.spend(EVERY)
    assert stops.count == 11


def test_many_small_things_are_much() -> None:
    stops = Stops()
    breath = Breath(stops)
    breath.spend(FIRST - EACH)
    for _ in range(10 * EVERY // EACH):
        breath.spend(0)
    assert 5 <= stops.count <= 10
