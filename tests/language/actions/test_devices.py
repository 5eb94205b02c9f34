"""Actions of switches, sensors, shutters, timers and buttons: what is done, and how it is taken back."""

import pytest

from tests.home.homes import TEST
from tests.language.rule_house import RuleHouse


@pytest.mark.parametrize(
    ("action", "attribute", "value", "afterwards"),
    [
        ("turn lamp on", "lamp.state", True, False),
        ("turn on the Hall Lamp", "lamp.state", True, False),
        ("switch lamp off", "lamp.state", False, True),
        ("switch off lamp", "lamp.state", False, True),
        ("turn dimmer on", "dimmer.dimlevel", 100, 0),
        ("open window", "window.contact", False, True),
        ("close the Window", "window.contact", True, False),
        ("set presence of motion present", "motion.presence", True, False),
        ("set presence of Motion Hall absent", "motion.presence", False, True),
        ("raise blind", "blind.position", "up", "stopped"),
        ("lower Bedroom Blind down", "blind.position", "down", "stopped"),
        ("move the blind up", "blind.position", "up", "stopped"),
    ],
)
def test_what_lasts_can_be_taken_back(
    house: RuleHouse, action: str, attribute: str, value: object, afterwards: object
) -> None:
    device, _, name = attribute.partition(".")
    deed = house.deed(action)
    assert deed.lasts
    undo = deed.run(house.home, TEST).undo
    assert house.value(name, device) == value
    assert undo
    undo.run(house.home, TEST)
    assert house.value(name, device) == afterwards


@pytest.mark.parametrize(
    ("action", "attribute", "value"),
    [
        ("toggle lamp", "lamp.state", True),
        ("toggle the state of Hall Lamp", "lamp.state", True),
        ("toggle the lamp state", "lamp.state", True),
        ("stop blind", "blind.position", "stopped"),
        ("start clock", "clock.running", True),
        ("start the Egg Timer timer", "clock.running", True),
        ("stop clock", "clock.running", False),
        ("reset clock timer", "clock.time", 0),
        ("press up", "remote.button", "up"),
        ("press the up", "remote.button", "up"),
        ("press button Go Up", "remote.button", "up"),
    ],
)
def test_what_is_done_at_once(house: RuleHouse, action: str, attribute: str, value: object) -> None:
    device, _, name = attribute.partition(".")
    deed = house.deed(action)
    assert not deed.lasts
    assert deed.run(house.home, TEST).undo is None
    assert house.value(name, device) == value
    assert "cannot be undone" in house.wrong(f"when lamp is on then {action} for 5 seconds").reason


@pytest.mark.parametrize(
    "action",
    [
        "turn lamp",
        "turn heating on",
        "turn nothing on",
        "toggle blind",
        "toggle the state of",
        "toggle the state of lamp state",
        "set presence of motion to present",
        "open lamp",
        "set presence of outside present",
        "press down",
        "press remote",
        "move blind",
        "move blind to 50%",
        "stop lamp",
        "start blind",
        "raise lamp",
        "lower blind up",
    ],
)
def test_what_a_device_cannot_do_is_refused(house: RuleHouse, action: str) -> None:
    assert not house.does(action)


@pytest.mark.parametrize("action", ["turn lamp on", "press up", "toggle lamp", "raise blind", "start clock"])
def test_announcing_changes_nothing(house: RuleHouse, action: str) -> None:
    with house.nothing_happens():
        said = house.simulate(action)
    assert isinstance(said, str)
    assert said.startswith("would ")
    assert "{" not in said
    assert said != house.execute(action)
