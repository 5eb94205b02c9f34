"""What the demo home promises: a home without hardware in which everything can be seen, and some life."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.definitions import populate
from hallway.demo import STEP, Life, write_home
from hallway.home.changes import AnyChange, Updated
from hallway.home.classes import CLASSES, STORE_CLASS
from hallway.home.home import Home
from hallway.language.expressions import parse
from hallway.settings import load

HOUR = 3600.0


def demo_home(directory: Path) -> Home:
    write_home(directory, 8123)
    home = Home(VirtualClock(), language=parse)
    assert populate(home, load(directory)) == ((), ())
    home.bind_formulas()
    return home


def advance(home: Home, seconds: float) -> None:
    assert isinstance(home.clock, VirtualClock)
    home.clock.advance(seconds)


def test_its_configuration_is_made_where_there_is_none(tmp_path: Path) -> None:
    write_home(tmp_path / "new" / "home", 8321)
    settings = load(tmp_path / "new" / "home")
    assert settings.http.port == 8321
    assert settings.home.name == "Demo"
    assert (tmp_path / "new" / "home" / "configuration.yaml").stat().st_mode & 0o077 == 0


def test_each_demo_home_has_a_password_of_its_own(tmp_path: Path) -> None:
    passwords = []
    for name in ("one", "two"):
        write_home(tmp_path / name, 8123)
        passwords.append(load(tmp_path / name).http.api_password)
    assert len(set(passwords)) == 2
    assert all(password and len(password) >= 11 for password in passwords)


def test_a_configuration_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "configuration.yaml").write_text("home: {name: Mine}\n")
    write_home(tmp_path, 8123)
    assert (tmp_path / "configuration.yaml").read_text() == "home: {name: Mine}\n"


def test_it_has_a_device_of_every_class(tmp_path: Path) -> None:
    home = demo_home(tmp_path)
    shown = {device.class_name for device in home.devices.values()}
    assert shown | {STORE_CLASS} == {name for name, known in CLASSES.items() if not known.built_in}
    assert all(device.error is None for device in home.devices.values())


def test_its_values_drift_and_stay_in_bounds(tmp_path: Path) -> None:
    home = demo_home(tmp_path)
    seen: list[float] = []
    humidity: list[float] = []

    def look(change: AnyChange) -> None:
        assert isinstance(change, Updated)
        seen.append(float(str(change.new["temperature"])))
        humidity.append(float(str(change.new["humidity"])))

    home.changes.watch("device:living_room", look)
    Life(home, random.Random(1)).start()
    advance(home, 12 * HOUR)
    assert len(seen) == 12 * HOUR / STEP + 1
    assert 15 < min(seen) < max(seen) < 26
    assert len(set(seen)) > 10
    assert 30 <= min(humidity) < max(humidity) <= 80


def test_somebody_comes_and_goes_and_the_door_moves(tmp_path: Path) -> None:
    home = demo_home(tmp_path)
    states: dict[str, set[str]] = {"binary_sensor.hall": set(), "binary_sensor.front_door": set()}
    Life(home, random.Random(1)).start()
    for _ in range(int(HOUR / STEP)):
        advance(home, STEP)
        for entity_id, seen in states.items():
            state = home.state(entity_id)
            assert state is not None
            seen.add(state.state)
    assert set(map(frozenset, states.values())) == {frozenset({"on", "off"})}


def test_what_is_computed_follows(tmp_path: Path) -> None:
    home = demo_home(tmp_path)
    Life(home, random.Random(1)).start()
    advance(home, HOUR)
    inside, outside = home.value("living_room.temperature"), home.value("outside.temperature")
    assert isinstance(inside, float | int)
    assert isinstance(outside, float | int)
    assert home.value("computed.difference") == pytest.approx(inside - outside, abs=0.051)
    assert home.value("too-cold") == pytest.approx(21 - inside, abs=0.051)


def test_the_same_chance_gives_the_same_life(tmp_path: Path) -> None:
    lives = []
    for _ in range(2):
        home = demo_home(tmp_path)
        Life(home, random.Random(7)).start()
        advance(home, HOUR)
        lives.append([(state.entity_id, state.state) for state in home.states()])
    assert lives[0] == lives[1]


def test_stopped_nothing_happens_any_more(tmp_path: Path) -> None:
    home = demo_home(tmp_path)
    life = Life(home, random.Random(1))
    life.start()
    advance(home, 10 * STEP)
    life.stop()
    advance(home, 60)
    seq = home.changes.seq
    advance(home, HOUR)
    assert home.changes.seq == seq


def test_a_home_from_which_somebody_took_devices_lives_on() -> None:
    home = Home(VirtualClock())
    Life(home, random.Random(1)).start()
    advance(home, HOUR)
    assert home.states() == []


def test_what_happens_is_told_to_come_from_the_demo(tmp_path: Path) -> None:
    home = demo_home(tmp_path)
    origins: set[str] = set()
    home.changes.watch("device:outside", lambda change: origins.add(change.context.origin))
    Life(home, random.Random(1)).start()
    assert origins == {"demo"}
