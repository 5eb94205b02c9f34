"""AppDaemon 2.0.8 with `--commtype SSE`: Python apps that follow the home on its stream and act on it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import StartHub
from tests.hubs import DEMO_DEVICES, RunningHub
from tests.peers.environments import PythonClient, plain_environment, python_of
from tests.peers.hub import rest
from tests.peers.rest import Rest
from tests.peers.waiting import stays, wait_until

# the first test of a fresh machine fetches it
pytestmark = pytest.mark.timeout(600)

APPDAEMON = PythonClient(
    "appdaemon-2.0.8",
    # the rest of 2017: it declares no upper bounds
    ("appdaemon==2.0.8", "astral<2", "PyYAML<6", "urllib3<2"),
    ("3.6", "3.7"),
    "import appdaemon.appdaemon",
)
CONFIGURATION = """\
AppDaemon: {{threads: 2, elevation: 10}}
HASS: {{ha_url: "{url}", ha_key: "{password}"}}
following: {{module: following, class: Following, report: "{report}"}}
"""
APP = '''\
import json

import appdaemon.appapi as appapi


class Following(appapi.AppDaemon):
    """Reports what it hears, and does what events named ask_app tell it."""

    def initialize(self):
        self.listen_state(self.changed, "apps.followed")
        self.listen_state(self.switched, "switch.ac", new="on")
        self.listen_event(self.asked, "ask_app")
        self.report(started=self.get_state("light.bed_light"))

    def changed(self, entity, attribute, old, new, kwargs):
        self.report(changed=[entity, old, new])

    def switched(self, entity, attribute, old, new, kwargs):
        self.turn_on("light.bed_light", brightness=33)

    def asked(self, event_name, data, kwargs):
        try:
            result = getattr(self, data["call"])(*data["given"], **data["named"])
        except Exception as error:
            self.report(raised=repr(error))
        else:
            self.report(result=result)

    def report(self, **what):
        with open(self.args["report"], "a") as file:
            file.write(json.dumps(what) + "\\n")
'''


class AppDaemon:
    """A running AppDaemon with the app above."""

    def __init__(self, home: Rest, folder: Path) -> None:
        self.home = home
        self._report = folder / "report"
        self._log = folder / "log"

    def reports(self, kind: str) -> list[Any]:
        """What the app reported of that kind so far."""
        lines = self._report.read_text("utf-8").splitlines() if self._report.exists() else []
        return [report[kind] for report in map(json.loads, lines) if kind in report]

    def waits_for(self, kind: str, value: object) -> None:
        what = f"{kind} {value!r} from the app, whose log is {self._log}"
        wait_until(lambda: value in self.reports(kind), 60, what)

    def do(self, call: str, /, *given: object, **named: object) -> None:
        """Let the app call one of its own functions; returns when it has done so."""
        done = len(self.reports("result"))
        self.home.fire("ask_app", {"call": call, "given": given, "named": named})
        what = f"{call} by the app, whose log is {self._log}"
        wait_until(lambda: len(self.reports("result") + self.reports("raised")) > done, 60, what)
        assert self.reports("raised") == []

    def follows(self) -> bool:
        """Whether it is on the stream: this one is the only listener for everything."""
        events = self.home.ask("GET", "/api/events").json()
        return {"event": "*", "listener_count": 1} in events

    def is_calm(self) -> bool:
        """Whether it has neither lost the hub nor failed at what it sent."""
        text = self._log.read_text("utf-8", "replace")
        return "Disconnected from" not in text and "Unexpected error" not in text


@contextmanager
def appdaemon(home: Rest, folder: Path) -> Iterator[AppDaemon]:
    command = python_of(APPDAEMON).with_name("appdaemon")
    (folder / "apps").mkdir(parents=True)
    (folder / "apps" / "following.py").write_text(APP, "utf-8")
    report = folder / "report"
    (folder / "appdaemon.yaml").write_text(
        CONFIGURATION.format(url=home.url, password=home.password, report=report), "utf-8"
    )
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(
            [str(command), "--config", str(folder), "--commtype", "SSE"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**plain_environment(), "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
    try:
        running = AppDaemon(home, folder)
        wait_until(lambda: running.reports("started") and running.follows(), 120, "an AppDaemon that follows the hub")
        yield running
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait(60)


@pytest.fixture(scope="module")
def following(home: Rest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppDaemon]:
    home.call("light", "turn_off")
    home.set_state("apps.followed", "before")
    with appdaemon(home, tmp_path_factory.mktemp("appdaemon") / "config") as running:
        yield running


def test_an_app_has_the_states_from_its_start(following: AppDaemon) -> None:
    assert following.reports("started") == ["off"]


def test_an_app_hears_a_state_that_somebody_posts(following: AppDaemon, home: Rest) -> None:
    old = home.value("apps.followed")
    home.set_state("apps.followed", "Größe ☕")
    following.waits_for("changed", ["apps.followed", old, "Größe ☕"])


def test_an_app_acts_on_what_happens(following: AppDaemon, home: Rest) -> None:
    home.call("light", "turn_off")
    home.call("switch", "turn_off")
    home.call("switch", "turn_on", {"entity_id": "switch.ac"})
    wait_until(lambda: home.value("light.bed_light") == "on", 60, "the light that the app turns on")
    assert home.attribute("light.bed_light", "brightness") == 33
    following.do("turn_off", "light.bed_light")
    assert home.value("light.bed_light") == "off"
    following.do("toggle", "light.bed_light")
    assert home.value("light.bed_light") == "on"


def test_an_app_sets_states_fires_events_and_calls_services(following: AppDaemon, home: Rest) -> None:
    following.do("set_state", "apps.followed", state="mine", attributes={"n": [1, None]})
    assert (home.value("apps.followed"), home.attribute("apps.followed", "n")) == ("mine", [1, None])
    assert following.reports("result")[-1] == home.state("apps.followed")
    following.do("fire_event", "ask_app", call="friendly_name", given=["light.bed_light"], named={})
    following.waits_for("result", "Bed Light")
    following.do("call_service", "switch/turn_on", entity_id=["switch.ac", "switch.decorative_lights"])
    assert (home.value("switch.ac"), home.value("switch.decorative_lights")) == ("on", "on")


def test_it_stays_connected_without_complaint(following: AppDaemon) -> None:
    stays(lambda: following.is_calm() and following.follows(), 0.5, "AppDaemon without complaint on the stream")


def test_it_comes_back_to_a_hub_that_was_restarted(start_hub: StartHub, tmp_path: Path) -> None:
    hub: RunningHub = start_hub(DEMO_DEVICES)
    home = rest(hub)
    home.set_state("apps.followed", "before")
    with appdaemon(home, tmp_path / "config") as running:
        hub.restart()
        wait_until(running.follows, 120, "AppDaemon on the stream again")
        home.set_state("apps.followed", "after")
        running.waits_for("changed", ["apps.followed", "before", "after"])
