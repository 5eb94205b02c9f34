"""Waiting for something that another process does, with a bound and a message that says what did not come."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_PAUSE = 0.02


def wait_until(predicate: Callable[[], T], seconds: float, what: str) -> T:
    """The first true answer of the predicate, asked again and again; AssertionError after that many seconds."""
    end = time.monotonic() + seconds
    while True:
        answer = predicate()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:g} s: {what} (last answer: {answer!r})")
        time.sleep(_PAUSE)


def stays(predicate: Callable[[], object], seconds: float, what: str) -> None:
    """AssertionError as soon as the predicate is no longer true within that many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert predicate(), f"within {seconds:g} s no longer true: {what}"
        time.sleep(_PAUSE)
