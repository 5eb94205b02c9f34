"""What a line promises: its work in order in one thread, and an end that waits for nobody."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from hallway.clock import SystemClock
from hallway.errors import InvalidInput, Unreachable
from hallway.links.line import ThreadLine
from hallway.links.peer import Peer
from tests.peers.waiting import wait_until

HOST = "127.0.0.1"


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes connections and says nothing."""
    with socket.create_server((HOST, 0)) as listening:
        yield listening.getsockname()[1]


def a_line(port: int = 1, longest: float = 30) -> ThreadLine:
    return ThreadLine(Peer(HOST, port, "theirs"), SystemClock(asyncio.get_running_loop()), longest)


def threads_of(line: ThreadLine) -> list[threading.Thread]:
    name = f"hallway-link-{HOST}:{line.peer.port}"
    return [thread for thread in threading.enumerate() if thread.name == name]


async def test_work_is_done_in_order_in_one_thread_that_is_not_this() -> None:
    line = a_line(3)  # its thread is counted, and those of other lines may be ending still
    done: list[tuple[int, str]] = []

    def work(number: int) -> int:
        time.sleep(0.01 * (3 - number))
        done.append((number, threading.current_thread().name))
        return number

    assert await asyncio.gather(*(line.run(lambda _peer, n=n: work(n)) for n in range(4))) == [0, 1, 2, 3]  # type: ignore[misc]
    assert done == [(number, f"hallway-link-{HOST}:3") for number in range(4)]
    assert len(threads_of(line)) == 1
    line.close()


async def test_a_line_that_was_never_used_has_no_thread() -> None:
    line = a_line(2)
    assert threads_of(line) == []
    line.close()
    assert threads_of(line) == []


async def test_what_the_work_raises_is_raised() -> None:
    line = a_line()

    def fail(_peer: Peer) -> None:
        raise InvalidInput("no")

    with pytest.raises(InvalidInput):
        await line.run(fail)
    assert await line.run(lambda peer: peer.port) == 1
    line.close()


async def test_work_that_is_cancelled_before_its_turn_is_not_done() -> None:
    line = a_line()
    hold, done = threading.Event(), []
    first = asyncio.ensure_future(line.run(lambda _peer: hold.wait(45)))
    second = asyncio.ensure_future(line.run(lambda _peer: done.append(2)))
    await asyncio.sleep(0.01)
    second.cancel()
    await asyncio.sleep(0)
    hold.set()
    assert await first
    await line.run(lambda _peer: done.append(3))
    assert done == [3]
    line.close()


async def test_a_closed_line_ends_its_thread_and_takes_no_work() -> None:
    line = a_line()
    await line.run(lambda _peer: None)
    line.close()
    wait_until(lambda: not threads_of(line), 60, "the end of the thread")
    with pytest.raises(Unreachable, match="has ended"):
        await line.run(lambda _peer: None)


async def test_an_answer_that_comes_drop_by_drop_is_broken_off() -> None:
    over = threading.Event()
    with socket.create_server((HOST, 0)) as listening:

        def drip() -> None:
            there, _address = listening.accept()
            with there:
                try:
                    there.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                    while not over.wait(0.01):
                        there.sendall(b"x")
                except OSError:
                    pass

        threading.Thread(target=drip, daemon=True).start()
        line = a_line(listening.getsockname()[1], longest=0.1)
        started = time.monotonic()
        with pytest.raises(Unreachable, match="its answer took too long"):
            await line.run(lambda peer: peer.ask("GET", "/api/"))
        assert time.monotonic() - started < 15
        over.set()
    line.close()


async def test_many_short_requests_may_take_long_together() -> None:
    line = a_line(longest=0.05)

    def work(peer: Peer) -> bool:
        for _ in range(10):
            peer.asked += 1
            time.sleep(0.02)
        return True

    assert await line.run(work)
    line.close()


def test_a_process_ends_though_a_line_still_waits_for_an_answer(silent: int) -> None:
    program = f"""
import asyncio
from hallway.clock import SystemClock
from hallway.links import peer
from hallway.links.line import ThreadLine

peer.TIMEOUT = 120

async def main():
    line = ThreadLine(peer.Peer("{HOST}", {silent}, ""), SystemClock(asyncio.get_running_loop()))
    asking = asyncio.ensure_future(line.run(lambda peer: peer.ask("GET", "/api/")))
    await asyncio.sleep(0.1)
    asking.cancel()
    line.close()

asyncio.run(main())
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=40)
