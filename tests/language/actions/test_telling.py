"""Actions that tell people something."""

import pytest

from hallway.home.changes import Fired
from tests.home.homes import TEST, only
from tests.language.rule_house import RuleHouse


@pytest.mark.parametrize(
    ("action", "text"),
    [
        ('log "a"', "a"),
        ('log "it is $n, {$n / 4} and ä ☃"', "it is 10, 2.5 and ä ☃"),
        ('log "$outside.temperature of $lamp.state"', "undefined of false"),
        ('log "one\ntwo"', "one\ntwo"),
    ],
)
def test_a_log_is_the_text_itself(house: RuleHouse, action: str, text: str) -> None:
    assert house.execute(action) == text
    assert house.simulate(action) == f'would log "{text}"'


@pytest.mark.parametrize("action", ["log a", "log 'a'", "log", 'log "$zero"', 'log "a', "log 5"])
def test_only_a_text_in_quotes_can_be_logged(house: RuleHouse, action: str) -> None:
    assert not house.does(action)


def test_what_is_carried_out_becomes_a_message_when_wanted(house: RuleHouse) -> None:
    for simulate, logging, expected in ((False, False, 0), (True, True, 0), (False, True, 1)):
        house.parser.execute('log "hi $n"', house.home, TEST, simulate=simulate, logging=logging)
        assert len(house.home.messages.all()) == expected
    message = only(house.home.messages.all())
    assert (message.level, message.text) == ("info", "hi 10")


def test_people_are_notified_by_an_event(house: RuleHouse) -> None:
    assert house.execute('notify "the egg is done"') == "the egg is done"
    fired = only([change for change in house.changes if isinstance(change, Fired)])
    assert (fired.event_type, fired.data) == ("notification", {"message": "the egg is done"})
