"""What services promise: a call goes over the bus, is carried out, and is told to be done, wherever that happens."""

from __future__ import annotations

from typing import Any

import pytest

from hallway.errors import Conflict, InvalidInput, NotFound, Unavailable, Unreachable
from hallway.home.abilities.base import Field
from hallway.home.calls import Call, done
from hallway.home.changes import MAX_CAUSES, Context, Fired
from hallway.home.services import CALL_ID, CALL_LIFE, MAX_ANNOUNCED, MAX_OPEN_CALLS, MAX_REMEMBERED, Asked, Offered
from hallway.home.values import Attributes
from tests.home.homes import TEST, House, a_device, only


def accept(_data: Attributes) -> None:
    """Every data is right."""


class Desk:
    """A service `desk.ring` that notes how it was called and answers with the call it is given."""

    def __init__(self, house: House, answer: Call | None = None) -> None:
        self.asked: list[Asked] = []
        self.answer = answer or done()
        offered = Offered("Ring", (Field("times", "how often"),), accept, self.run)
        house.home.services.register("desk", "ring", offered, TEST)
        house.changes.clear()

    def run(self, asked: Asked) -> Call:
        self.asked.append(asked)
        return self.answer


@pytest.fixture
def house() -> House:
    return House(a_device("DummySwitch"), a_device("DummyDimmer", "lamp"))


def test_a_call_is_told_carried_out_and_told_to_be_done(house: House) -> None:
    call = house.call("switch.turn_on", entity_id="switch.it", extra=1)
    assert (call.done, call.error) == (True, None)
    told, update, executed = house.changes
    assert isinstance(told, Fired)
    assert isinstance(executed, Fired)
    call_id = told.data[CALL_ID]
    assert (told.event_type, told.data) == (
        "call_service",
        {"entity_id": "switch.it", "extra": 1, "domain": "switch", "service": "turn_on", CALL_ID: call_id},
    )
    assert update is only(house.updates())
    assert (update.context.cause, update.context.depth) == (told.seq, 1)
    assert (executed.event_type, executed.data, executed.context.cause) == (
        "service_executed",
        {CALL_ID: call_id},
        told.seq,
    )


def test_each_call_has_an_id_of_its_own_with_the_name_of_the_hub(house: House) -> None:
    for _ in range(3):
        house.call("switch.toggle")
    ids = [str(fired.data[CALL_ID]) for fired in house.fired() if fired.event_type == "call_service"]
    assert len(set(ids)) == 3
    assert all(call_id.startswith("hub-") for call_id in ids)


def test_the_data_cannot_say_another_domain_service_or_id(house: House) -> None:
    house.call("switch.turn_on", entity_id="switch.it", domain="light", service="turn_off", **{CALL_ID: "mine"})
    fired = house.fired()[0]
    assert (fired.data["domain"], fired.data["service"]) == ("switch", "turn_on")
    assert fired.data[CALL_ID] != "mine"
    assert house.value("state") is True


def test_the_handler_sees_the_data_alone(house: House) -> None:
    desk = Desk(house)
    house.call("desk.ring", times=2, domain="other")
    asked = only(desk.asked)
    assert (asked.domain, asked.service, asked.data) == ("desk", "ring", {"times": 2})
    assert asked.context == TEST.following("service", house.changes[0].seq)


def test_a_call_that_takes_time_is_done_when_it_was_carried_out(house: House) -> None:
    running = Call()
    Desk(house, running)
    ended: list[Call] = []
    house.call("desk.ring").on_done(ended.append)
    assert ended == []
    assert [fired.event_type for fired in house.fired()] == ["call_service"]
    running.finish()
    assert [call.error for call in ended] == [None]
    assert [fired.event_type for fired in house.fired()] == ["call_service", "service_executed"]


def test_an_event_calls_the_service_too(house: House) -> None:
    house.home.fire("call_service", {"domain": "switch", "service": "turn_on", "entity_id": "switch.it"}, TEST)
    assert house.value("state") is True
    assert [fired.event_type for fired in house.fired()] == ["call_service"]


def test_an_event_with_an_id_is_answered_with_it(house: House) -> None:
    data: Attributes = {"domain": "switch", "service": "turn_on", "entity_id": "switch.it", CALL_ID: "abc-1"}
    house.home.fire("call_service", data, TEST, remote=True)
    answer = house.fired()[-1]
    assert (answer.event_type, answer.data, answer.remote) == ("service_executed", {CALL_ID: "abc-1"}, False)


@pytest.mark.parametrize(
    ("flat", "nested", "seen"),
    [
        ({}, {"entity_id": "switch.it", "times": 1}, {"entity_id": "switch.it", "times": 1}),
        ({"times": 2}, {"times": 1, "loud": True}, {"times": 2, "loud": True}),
        ({"times": 2}, None, {"times": 2}),
        ({"times": 2}, "text", {"times": 2}),
    ],
)
def test_data_may_stand_under_service_data_too(house: House, flat: Any, nested: Any, seen: Any) -> None:
    desk = Desk(house)
    data = {"domain": "desk", "service": "ring", "service_data": nested, **flat}
    house.home.fire("call_service", data, TEST)
    assert only(desk.asked).data == seen


@pytest.mark.parametrize(
    "data", [{}, {"domain": "switch"}, {"domain": ["switch"], "service": {"a": 1}}, {"domain": None}]
)
def test_an_event_that_names_no_service_is_left_aside(house: House, data: Any) -> None:
    house.home.fire("call_service", data, TEST)
    assert only(house.changes).event_type == "call_service"


@pytest.mark.parametrize("call_id", [5, None, ["x"], {"a": 1}])
def test_an_id_that_is_no_text_is_not_answered(house: House, call_id: Any) -> None:
    house.home.fire("call_service", {"domain": "switch", "service": "turn_on", CALL_ID: call_id}, TEST)
    house.home.fire("service_executed", {CALL_ID: call_id}, TEST)
    assert house.value("state") is True
    assert [fired.event_type for fired in house.fired()] == ["call_service", "service_executed"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("light.explode", ("light.explode", "light has: turn_on, turn_off, toggle")),
        ("light.Turn_On", ("light.Turn_On", "light has:")),
        ("nodomain.turn_on", ("nodomain.turn_on", "there are: homeassistant, switch, light")),
    ],
)
def test_a_service_that_nobody_has_is_refused_with_those_there_are(
    house: House, name: str, words: tuple[str, ...]
) -> None:
    with house.refuses(NotFound, *words):
        house.call(name)


def test_a_service_told_of_by_another_hub_may_be_called(house: House) -> None:
    house.home.fire("service_registered", {"domain": "far", "service": "ring"}, TEST, remote=True)
    call = house.call("far.ring", times=3)
    assert not call.done
    told = house.fired()[-1]
    house.home.fire("service_executed", {CALL_ID: told.data[CALL_ID]}, TEST, remote=True)
    assert (call.done, call.error) == (True, None)
    assert not house.home.services.has("far", "ring")
    assert "far" not in house.home.services.listing()


@pytest.mark.parametrize(
    ("data", "remote"),
    [({"domain": "far", "service": "ring"}, False), ({"domain": "far"}, True), ({"domain": 1, "service": 2}, True)],
)
def test_only_another_hub_can_tell_of_a_service_and_by_name(house: House, data: Any, remote: bool) -> None:
    house.home.fire("service_registered", data, TEST, remote=remote)
    with house.refuses(NotFound):
        house.call("far.ring")


def test_other_hubs_cannot_tell_of_services_without_end(house: House) -> None:
    for number in range(MAX_ANNOUNCED + 1):
        house.home.fire("service_registered", {"domain": "far", "service": f"s{number}"}, TEST, remote=True)
    house.call(f"far.s{MAX_ANNOUNCED - 1}")
    with house.refuses(NotFound):
        house.call(f"far.s{MAX_ANNOUNCED}")


def test_a_service_that_could_be_elsewhere_may_be_called(house: House) -> None:
    house.home.services.elsewhere = lambda domain, service: (domain, service) == ("far", "ring")
    assert not house.call("far.ring").done
    with house.refuses(NotFound):
        house.call("far.sing")


def test_the_end_of_another_call_ends_this_one_not(house: House) -> None:
    call = house.call("switch.turn_on")
    running = Call()
    Desk(house, running)
    call = house.call("desk.ring")
    house.home.fire("service_executed", {CALL_ID: "hub-999"}, TEST)
    house.home.fire("service_executed", {}, TEST)
    assert not call.done


def test_a_handler_that_fails_ends_the_call_with_its_error(house: House) -> None:
    trouble = Unreachable("nobody there")
    failed = Call()
    failed.fail(trouble)
    Desk(house, failed)
    call = house.call("desk.ring")
    assert (call.done, call.error) == (True, trouble)
    assert [fired.event_type for fired in house.fired()] == ["call_service"]


def test_a_handler_that_fails_later_ends_the_call_then(house: House) -> None:
    running = Call()
    Desk(house, running)
    call = house.call("desk.ring")
    running.fail(Unreachable("nobody there"))
    assert call.error is running.error


@pytest.mark.parametrize("error", [InvalidInput("not so"), NotFound("gone")])
def test_a_handler_that_refuses_ends_the_call_and_is_logged(
    house: House, error: InvalidInput, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_asked: Asked) -> Call:
        raise error

    house.home.services.register("desk", "ring", Offered("Ring", (), accept, refuse), TEST)
    call = house.call("desk.ring")
    assert (call.done, call.error) == (True, error)
    assert f"desk.ring was called in vain: {error.message}" in caplog.text


def test_a_handler_with_a_fault_ends_the_call_at_once_and_is_logged(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    def stumble(_asked: Asked) -> Call:
        raise ValueError("a fault")

    house.home.services.register("desk", "ring", Offered("Ring", (), accept, stumble), TEST)
    call = house.call("desk.ring")
    assert call.done
    assert isinstance(call.error, Unavailable)
    assert "desk.ring" in call.error.message
    assert "ValueError: a fault" in caplog.text
    assert house.call("switch.turn_on").error is None


def test_a_check_that_refuses_comes_before_anything_happens(house: House) -> None:
    def refuse(data: Attributes) -> None:
        raise InvalidInput(f"not {data}")

    house.home.services.register("desk", "ring", Offered("Ring", (), refuse, lambda _asked: done()), TEST)
    with house.refuses(InvalidInput, "not {'times': 1}"):
        house.call("desk.ring", times=1, domain="x")


def test_a_call_at_the_end_of_a_chain_of_causes_does_not_stay_open(house: House) -> None:
    Desk(house)
    call = house.home.call_service("desk", "ring", {}, Context("rule", depth=MAX_CAUSES - 1))
    assert call.done
    assert isinstance(call.error, Conflict)


def test_calls_that_are_refused_do_not_wait(house: House) -> None:
    for _ in range(MAX_OPEN_CALLS + 1):
        with pytest.raises(Conflict):
            house.home.call_service("switch", "turn_on", {}, Context("rule", depth=MAX_CAUSES))
    assert house.call("switch.turn_on").done


FROM_AFAR = Context("homeassistant", hops=("cellar",))


@pytest.mark.parametrize(
    ("context", "elsewhere", "pause", "times"),
    [
        (FROM_AFAR, False, 4.9, 1),
        (FROM_AFAR, False, 5.0, 2),
        (TEST, True, 0.0, 1),
        (TEST, False, 0.0, 2),
    ],
)
def test_a_call_that_comes_back_from_another_hub_is_run_once(
    house: House, context: Context, elsewhere: bool, pause: float, times: int
) -> None:
    desk = Desk(house)
    house.home.services.elsewhere = lambda _domain, _service: elsewhere
    for _ in range(2):
        house.home.fire("call_service", {"domain": "desk", "service": "ring", CALL_ID: "far-1"}, context, remote=True)
        house.clock.advance(pause)
    assert len(desk.asked) == times


def test_other_calls_from_another_hub_are_run_each(house: House) -> None:
    desk = Desk(house)
    for number in range(MAX_REMEMBERED + 2):
        data: Attributes = {"domain": "desk", "service": "ring", CALL_ID: f"far-{number}"}
        house.home.fire("call_service", data, FROM_AFAR, remote=True)
    assert len(desk.asked) == MAX_REMEMBERED + 2


def test_a_failed_call_is_told_by_its_id(house: House) -> None:
    running = Call()
    Desk(house, running)
    call = house.call("desk.ring")
    house.home.services.fail("hub-999", NotFound("not this one"))
    house.home.services.fail(["no text"], NotFound("not this one"))
    assert not call.done
    house.home.services.fail(house.fired()[0].data[CALL_ID], NotFound("gone"))
    assert str(call.error) == "gone"


def test_only_so_many_calls_wait(house: House) -> None:
    house.home.services.elsewhere = lambda _domain, _service: True
    calls = [house.call("far.ring") for _ in range(MAX_OPEN_CALLS)]
    with house.refuses(InvalidInput, f"{MAX_OPEN_CALLS} service calls", "later"):
        house.call("switch.turn_on")
    house.home.services.give_up(calls[0])
    assert house.call("switch.turn_on").done


def test_a_call_given_up_is_not_told_the_end_any_more(house: House) -> None:
    running = Call()
    Desk(house, running)
    call = house.call("desk.ring")
    house.home.services.give_up(call)
    running.finish()
    assert not call.done


def test_services_are_listed_in_the_order_in_which_they_came(house: House) -> None:
    Desk(house)
    listing = {domain: list(services) for domain, services in house.home.services.listing().items()}
    assert list(listing.items()) == [
        ("homeassistant", ["turn_off", "turn_on", "toggle"]),
        ("switch", ["turn_on", "turn_off", "toggle"]),
        ("light", ["turn_on", "turn_off", "toggle"]),
        ("desk", ["ring"]),
    ]


def test_a_new_service_is_told_once(house: House) -> None:
    house.home.add_device(a_device("DummyShutter", "blind"), "file")
    house.home.add_device(a_device("DummyShutter", "blind2"), "file")
    told = [fired.data for fired in house.fired() if fired.event_type == "service_registered"]
    assert told == [
        {"domain": "cover", "service": "open_cover"},
        {"domain": "cover", "service": "close_cover"},
        {"domain": "cover", "service": "stop_cover"},
    ]


def test_a_call_that_nobody_answers_ends_some_time(house: House) -> None:
    house.home.services.elsewhere = lambda _domain, _service: True
    call = house.call("far.ring")
    house.clock.advance(CALL_LIFE - 1)
    assert not call.done
    house.clock.advance(1)
    assert isinstance(call.error, Unreachable)
    assert "nobody said within 30 s that far.ring was executed" in call.error.message


def test_an_answer_after_that_is_not_heard(house: House) -> None:
    house.home.services.elsewhere = lambda _domain, _service: True
    call = house.call("far.ring")
    call_id = house.fired()[0].data[CALL_ID]
    house.clock.advance(CALL_LIFE)
    house.home.fire("service_executed", {CALL_ID: call_id}, TEST, remote=True)
    assert isinstance(call.error, Unreachable)


def test_a_call_given_up_is_not_told_that_nobody_answered(house: House) -> None:
    house.home.services.elsewhere = lambda _domain, _service: True
    call = house.call("far.ring")
    house.home.services.give_up(call)
    house.clock.advance(CALL_LIFE)
    assert not call.done


def test_calls_that_a_service_makes_do_not_use_up_those_that_may_be_open(house: House) -> None:
    offered = Offered("Turn on", (), accept, lambda _asked: Call())
    house.home.services.register("switch", "turn_on", offered, TEST)
    for _ in range(MAX_OPEN_CALLS):
        house.home.fire(
            "call_service", {"domain": "homeassistant", "service": "turn_on", "entity_id": "switch.it"}, TEST
        )
    with pytest.raises(InvalidInput):
        house.call("light.turn_on")
    house.clock.advance(CALL_LIFE)
    assert house.call("light.turn_on").done
