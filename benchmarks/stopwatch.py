"""Times of single calls in this process: what is short enough is called again and again, and the middle of it counts.

It must not know what is called.
"""

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager


@contextmanager
def memory_like_a_hub() -> Iterator[None]:
    """What is there by now is left alone by the collector, as in a hub that has started."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def time_calls(
    call: Callable[[], object],
    count: int,
    before: Callable[[], object] | None = None,
    now: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """The seconds of each of so many calls; `before` is done before each and takes no time.

    now: `time.thread_time` leaves out the time in which the processor works for somebody else.
    """
    seconds = []
    for _ in range(count):
        if before is not None:
            before()
        begin = now()
        call()
        seconds.append(now() - begin)
    return seconds


def middle_us(seconds: Sequence[float]) -> float:
    """The median in microseconds."""
    return statistics.median(seconds) * 1e6


def p99_us(seconds: Sequence[float]) -> float:
    """In microseconds, what one call of a hundred exceeds."""
    return sorted(seconds)[len(seconds) * 99 // 100] * 1e6
