"""A command that is stopped, by Ctrl-C or another signal that ends programs, ends in order and with a sentence.

What is under way gets KeyboardInterrupt and puts in order what it has begun; its arguments say what is there now. It
must not know what a command does.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, Self

from hallway import durable

_AS_CTRL_C: Final = (signal.SIGTERM, signal.SIGHUP)
_REPEATED: Final = 2


class Stops:
    """While the block lasts, SIGTERM and SIGHUP do what Ctrl-C does. status: that with which the command then ends.

    What whoever started us wants to be ignored (nohup) is ignored.
    """

    def __init__(self) -> None:
        self.status = 128 + signal.SIGINT
        self._came = 0
        self._taken: list[signal.Signals] = []

    def __enter__(self) -> Self:
        for number in _AS_CTRL_C:
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, self._stop)
                self._taken.append(number)
        return self

    def __exit__(self, *_error: object) -> None:
        for number in self._taken:
            signal.signal(number, signal.SIG_DFL)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._came += 1
        if self._came == _REPEATED:  # `timeout` says it twice, which must not cut off the putting in order
            return
        self.status = 128 + number
        ctrl_c = signal.getsignal(signal.SIGINT)  # an event loop has its own way, which lets its tasks end well
        if not callable(ctrl_c):
            ctrl_c = signal.default_int_handler
        ctrl_c(signal.SIGINT, frame)


@contextmanager
def if_stopped(sentence: str) -> Iterator[None]:
    """Who stops the block is told that, unless what was stopped in it has told more."""
    try:
        yield
    except KeyboardInterrupt as stopped:
        raise KeyboardInterrupt(*(stopped.args or (sentence,))) from None


@contextmanager
def if_stopped_writing(file: Path, before: str, after: str) -> Iterator[None]:
    """As if_stopped, of a file that comes as a whole: before it has come one sentence is true, afterwards the other."""
    there = _which(file)
    try:
        yield
    except KeyboardInterrupt as stopped:
        sentence = before if _which(file) == there else after
        raise KeyboardInterrupt(*(stopped.args or (sentence,))) from None


def _which(file: Path) -> tuple[int, int] | None:
    with contextlib.suppress(OSError):  # whoever writes it says why it cannot be reached
        return durable.which(file)
    return None
