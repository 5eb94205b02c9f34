"""What was removed is remembered with its last values, as notes, and forgotten when a hundred others went after it."""

from __future__ import annotations

from hallway.clock import VirtualClock
from hallway.home.changes import AnyChange, Context, Noted
from hallway.home.home import Home
from hallway.home.lasts import MAX_BYTES, OWNER, REMEMBERED

TEST = Context("test")


def removed(home: Home, *names: str) -> dict[str, object]:
    """Remove these variables: the notes that are left then."""
    noted: dict[str, object] = {}

    def hear(change: AnyChange) -> None:
        if isinstance(change, Noted) and change.owner == OWNER:
            noted[change.name] = change.note

    forget = home.changes.subscribe(hear)
    for name in names:
        home.remove_variable(name, TEST)
    forget()
    return {name: note for name, note in noted.items() if note is not None}


def test_a_variable_is_noted_with_its_last_value_unless_it_is_computed_or_large() -> None:
    home = Home(VirtualClock())
    for name, value in (("x", 1), ("large", "y" * MAX_BYTES)):
        home.add_variable({"name": name, "value": value}, TEST)
    home.set_variable("x", 5, TEST)
    assert removed(home, "x", "large") == {"variable:x": {"value": 5}}
    assert home.announcer.lasts.value("x") == (True, 5)
    assert home.announcer.lasts.value("large") == (False, None)


def test_the_oldest_are_forgotten() -> None:
    home = Home(VirtualClock())
    names = [f"x{number}" for number in range(REMEMBERED + 2)]
    for name in names:
        home.add_variable({"name": name, "value": 1}, TEST)
    assert list(removed(home, *names)) == [f"variable:{name}" for name in names[2:]]
    assert home.announcer.lasts.value("x1") == (False, None)


def test_a_device_of_the_store_is_noted_with_its_class_and_nobody_elses_class_gets_it() -> None:
    home = Home(VirtualClock())
    home.add_device({"id": "lamp", "class": "DummySwitch"}, "store", TEST)
    home.add_device({"id": "filed", "class": "DummySwitch"}, "link:a", TEST)
    home.act("lamp", "turnOn", {}, TEST)
    home.remove_device("lamp", TEST)
    home.remove_device("filed", TEST)
    lasts = home.announcer.lasts
    assert lasts.values("lamp", "DummySwitch") == {"state": True}
    assert lasts.values("lamp", "DummyDimmer") == {}
    assert lasts.values("filed", "DummySwitch") == {}
