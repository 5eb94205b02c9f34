"""What watched processes promise: on while one runs whose command line holds the text."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import psutil
import pytest

from hallway.clock import VirtualClock
from hallway.home.home import Home
from hallway.plugins.builtin.processes import ProcessSource, Watch, command_lines

WEB = Watch("Web-Server", "nginx", 10)
BOX = Watch("Dropbox", "dropbox --start", 30)


class Machine:
    """What runs, as it is looked at: the home, its clock, and the source that looks."""

    def __init__(self, *watches: Watch, home: Home | None = None) -> None:
        self.clock = VirtualClock()
        self.home = home or Home(self.clock)
        self.running: list[str] | Exception = []
        self.looks = 0
        self.source = ProcessSource(self.home, watches, self._look)
        self.source.define()

    async def _look(self) -> list[str]:
        self.looks += 1
        if isinstance(self.running, Exception):
            raise self.running
        return self.running

    async def start(self) -> None:
        self.source.start()
        await settle()

    async def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await settle()

    def states(self) -> dict[str, str]:
        return {state.entity_id: state.state for state in self.home.states()}


async def settle() -> None:
    """Let the look that was started come to its end."""
    for _ in range(3):
        await asyncio.sleep(0)


def test_each_is_a_device_and_an_entity_of_its_name() -> None:
    machine = Machine(WEB, BOX)
    assert machine.states() == {"process.web_server": "unknown", "process.dropbox": "unknown"}
    device = machine.home.device("process-web_server")
    assert (device.name, device.class_name, device.source) == ("Web-Server", "Process", "built-in")


async def test_a_device_of_that_id_is_left_alone_and_the_process_not_watched(caplog: pytest.LogCaptureFixture) -> None:
    home = Home(VirtualClock())
    home.add_device({"id": "process-dropbox", "class": "DummySwitch"}, "file")
    machine = Machine(WEB, BOX, home=home)
    assert "process Dropbox is not watched: there is a device process-dropbox already" in caplog.text
    machine.running = ["nginx", "dropbox --start"]
    await machine.start()
    assert machine.states() == {"switch.process_dropbox": "off", "process.web_server": "on"}


async def test_it_is_on_while_a_command_line_holds_the_text() -> None:
    machine = Machine(WEB, BOX)
    machine.running = ["/usr/sbin/nginx -g daemon", "bash"]
    await machine.start()
    assert machine.states() == {"process.web_server": "on", "process.dropbox": "off"}
    machine.running = ["python dropbox --start", "NGINX"]
    await machine.wait(10)
    assert machine.states() == {"process.web_server": "off", "process.dropbox": "on"}


async def test_all_are_found_in_one_look_as_often_as_the_most_eager_wants() -> None:
    machine = Machine(BOX, WEB)
    await machine.start()
    assert machine.looks == 1
    await machine.wait(9.9)
    assert machine.looks == 1
    await machine.wait(0.1)
    assert machine.looks == 2
    for _ in range(5):
        await machine.wait(10)
    assert machine.looks == 7


async def test_the_same_again_is_no_change() -> None:
    machine = Machine(WEB)
    await machine.start()
    seq = machine.home.changes.seq
    await machine.wait(10)
    assert machine.home.changes.seq == seq


@pytest.mark.parametrize("trouble", [OSError("no /proc"), psutil.AccessDenied(1)])
async def test_a_look_that_fails_is_logged_and_changes_nothing(
    trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    machine = Machine(WEB)
    machine.running = ["nginx"]
    await machine.start()
    machine.running = trouble
    await machine.wait(10)
    assert machine.states() == {"process.web_server": "on"}
    assert "cannot see what runs here" in caplog.text
    machine.running = []
    await machine.wait(10)
    assert machine.states() == {"process.web_server": "off"}


async def test_where_nothing_is_watched_nobody_looks() -> None:
    machine = Machine()
    await machine.start()
    await machine.wait(1000)
    assert machine.looks == 0
    machine.source.stop()


async def test_stopped_it_looks_no_more() -> None:
    machine = Machine(WEB)
    await machine.start()
    machine.source.stop()
    await machine.wait(1000)
    assert machine.looks == 1


@pytest.fixture
def marker() -> Iterator[str]:
    """A word in the command line of a process that runs."""
    word = "a-process-to-be-found"
    with subprocess.Popen([sys.executable, "-c", "input()", word], stdin=subprocess.PIPE) as process:
        yield word
        process.communicate(b"\n")


async def test_the_real_look_finds_what_runs_here(marker: str) -> None:
    home = Home(VirtualClock())
    source = ProcessSource(home, (Watch("found", marker), Watch("missing", f"{marker}-not")))
    source.define()
    looked = asyncio.Event()
    home.changes.watch("entity:process.missing", lambda _change: looked.set())
    source.start()
    await asyncio.wait_for(looked.wait(), 45)
    source.stop()
    assert [state.state for state in home.states()] == ["on", "off"]


def test_a_process_without_command_line_is_known_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    infos = (
        {"cmdline": ["nginx", "-g", "daemon off"], "name": "nginx"},
        {"cmdline": [], "name": "kthreadd"},
        {"cmdline": None, "name": "locked"},
        {"cmdline": None, "name": None},
    )
    monkeypatch.setattr(psutil, "process_iter", lambda _attributes: [SimpleNamespace(info=info) for info in infos])
    assert command_lines() == ["nginx -g daemon off", "kthreadd", "locked", ""]
