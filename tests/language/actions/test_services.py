"""Actions on the bus: services, events, scenes."""

import pytest

from hallway.errors import HallwayError
from hallway.home.values import Attributes
from hallway.language.actions.services import Activate
from tests.home.homes import TEST
from tests.language.rule_house import RuleHouse


def test_a_service_is_called_with_data(house: RuleHouse) -> None:
    outcome = house.deed('call light.turn_on with {"entity_id": "light.dimmer", "brightness": 255}').run(
        house.home, TEST
    )
    assert outcome.call
    assert outcome.call.done
    assert house.value("dimlevel", "dimmer") == 100
    house.deed("call light.turn_off with entity_id = light.dimmer").run(house.home, TEST)
    assert house.value("dimlevel", "dimmer") == 0


def test_a_service_may_come_later_but_must_be_there_when_it_is_called(house: RuleHouse) -> None:
    assert house.does("call robot.dance with speed = 3, song = waltz")
    with pytest.raises(HallwayError):
        house.execute("call robot.dance")


def test_an_event_is_fired_with_data(house: RuleHouse) -> None:
    house.execute('fire event "egg" with done = true, minutes = 7')
    (fired,) = house.fired()
    assert (fired.event_type, fired.data) == ("egg", {"done": True, "minutes": 7})


def test_a_scene_is_activated_by_id_or_name(house: RuleHouse) -> None:
    assert not house.does("activate scene dinner")
    house.report("scene.dinner", "scening", friendly_name="Long Dinner")
    assert house.deed("activate scene dinner") == Activate("scene.dinner")
    assert house.deed("activate scene Long Dinner") == Activate("scene.dinner")
    assert house.proposes_actions("activate scene ") == {"dinner", "Long Dinner"}


def test_a_scene_that_is_activated_is_told_by_its_name_with_what_it_sets(house: RuleHouse) -> None:
    members: Attributes = {"light.dimmer": {"state": "on", "brightness": 51}, "switch.lamp": "on", "switch.gone": "off"}
    house.home.scenes.add({"id": "dinner", "name": "Long Dinner", "entities": members}, TEST)
    told = (
        "scene Long Dinner: light.dimmer on, brightness 51; switch.lamp on; "
        "not switch.gone, since there is no entity switch.gone"
    )
    assert house.simulate("activate scene dinner") == f"would activate {told}"
    assert house.home.device("dimmer").value("dimlevel") == 0
    assert house.execute("activate scene dinner") == f"activated {told}"
    assert house.home.device("dimmer").value("dimlevel") == 20


def test_of_a_large_scene_some_is_told(house: RuleHouse) -> None:
    house.home.scenes.add({"id": "all", "entities": {f"switch.s{n}": "on" for n in range(12)}}, TEST)
    assert str(house.execute("activate scene all")).endswith("; and 2 more")


def test_a_scene_of_another_hub_is_told_by_its_name(house: RuleHouse) -> None:
    house.report("scene.dinner", "scening", friendly_name="Long Dinner")
    house.home.services.elsewhere = lambda _domain, _service: True
    assert house.execute("activate scene dinner") == "activated scene Long Dinner"


@pytest.mark.parametrize("action", ["call light", "call light.turn_on with", "fire event egg", 'fire event ""'])
def test_what_is_unfinished_is_refused(house: RuleHouse, action: str) -> None:
    assert not house.does(action)


def test_what_pimatic_does_not_have_is_proposed_from_the_fourth_letter_on(house: RuleHouse) -> None:
    assert house.proposes_actions("c") == {"close "}
    assert house.proposes_actions("cal") == set()
    assert house.proposes_actions("call") == {"call "}
    assert house.proposes_actions("call light.") == {"light.turn_on", "light.turn_off", "light.toggle"}
    assert house.proposes_actions("fire") == {"fire event "}
    assert house.proposes_actions("acti") == {"activate scene "}
    assert house.proposes_actions("noti") == {"notify "}
