"""Notifications: every way to people is told, and nobody needs one to find the line in the message list."""

from __future__ import annotations

import pytest

from hallway.clock import VirtualClock
from hallway.errors import Conflict, InvalidInput, NotFound, Unavailable
from hallway.home.calls import Call, done
from hallway.home.changes import AnyChange, Context, Fired
from hallway.home.home import START, Home
from hallway.home.notifiers import Notification
from hallway.home.values import Attributes

ANN = Context("test", "ann")


class Phone:
    """A way to people that notes what it was given; silent: it does not say when it is done."""

    def __init__(self, *, silent: bool = False) -> None:
        self.told: list[Notification] = []
        self.open: list[Call] = []
        self._silent = silent

    def __call__(self, notification: Notification, _context: Context) -> Call:
        self.told.append(notification)
        if not self._silent:
            return done()
        self.open.append(Call())
        return self.open[-1]


@pytest.fixture
def home() -> Home:
    return Home(VirtualClock())


def call(home: Home, service: str, **data: object) -> Call:
    given: Attributes = dict(data)  # type: ignore[arg-type]
    return home.call_service("notify", service, given, ANN)


def test_each_way_is_a_service_and_one_service_reaches_all(home: Home) -> None:
    phone, screen = Phone(), Phone()
    home.notifiers.register("phone", phone, START)
    home.notifiers.register("screen", screen, START)
    assert list(home.services.listing()["notify"]) == ["notify", "phone", "screen"]
    assert call(home, "notify", message="Supper", title="Kitchen").done
    assert call(home, "phone", message=5).done
    assert phone.told == [Notification("Supper", "Kitchen"), Notification("5")]
    assert screen.told == [Notification("Supper", "Kitchen")]


def test_a_notification_is_an_event_and_a_line_in_the_message_list_too(home: Home) -> None:
    seen: list[AnyChange] = []
    home.changes.watch("event:notification", seen.append)
    home.notifiers.tell(Notification("Supper", "Kitchen"), ANN)
    home.notifiers.tell(Notification("Bed"), ANN)
    assert [change.data for change in seen if isinstance(change, Fired)] == [
        {"message": "Supper", "title": "Kitchen"},
        {"message": "Bed"},
    ]
    lines = [(line.level, line.text, line.tags) for line in home.messages.all()]
    assert lines == [("info", "Kitchen: Supper", ("notification",)), ("info", "Bed", ("notification",))]


def test_it_is_done_when_all_have_sent_it(home: Home) -> None:
    phone = Phone(silent=True)
    home.notifiers.register("phone", phone, START)
    asked = home.notifiers.tell(Notification("Supper"), ANN)
    assert not asked.done
    phone.open[0].finish()
    assert asked.done


def test_one_that_fails_does_not_hinder_the_others(home: Home) -> None:
    def broken(_notification: Notification, _context: Context) -> Call:
        raise RuntimeError

    phone = Phone()
    home.notifiers.register("broken", broken, START)
    home.notifiers.register("phone", phone, START)
    asked = home.notifiers.tell(Notification("Supper"), ANN)
    assert phone.told == [Notification("Supper")]
    assert asked.error is not None
    assert "broken has a fault: RuntimeError" in asked.error.message


def test_whatever_a_notifier_does_wrong_is_told_with_its_reason(home: Home) -> None:
    def broken(_notification: Notification, _context: Context) -> Call:
        raise KeyError("no number")

    def forgetful(_notification: Notification, _context: Context) -> Call:
        return None  # type: ignore[return-value]

    def refusing(_notification: Notification, _context: Context) -> Call:
        raise Unavailable("the line is busy")

    for name, way, why in (
        ("broken", broken, "the notifier broken has a fault: KeyError: 'no number'"),
        ("forgetful", forgetful, "the notifier forgetful has a fault: TypeError: it returned NoneType and no call"),
        ("refusing", refusing, "the line is busy"),
    ):
        withdraw = home.notifiers.register(name, way, START)
        for asked in (call(home, name, message="Supper"), call(home, "notify", message="Supper")):
            assert asked.done
            assert asked.error is not None
            assert asked.error.message == why
        withdraw()


def test_a_name_is_given_once_and_free_when_its_way_is_gone(home: Home) -> None:
    withdraw = home.notifiers.register("phone", Phone(), START)
    for name in ("phone", "notify"):
        with pytest.raises(Conflict, match="there is a notifier"):
            home.notifiers.register(name, Phone(), START)
    withdraw()
    for service in ("phone", "notify"):
        with pytest.raises(NotFound):
            call(home, service, message="x")
    home.notifiers.register("phone", Phone(), START)


@pytest.mark.parametrize("data", [{}, {"message": None}, {"message": ["x"]}, {"text": "x"}])
def test_without_a_message_nothing_is_told(home: Home, data: Attributes) -> None:
    phone = Phone()
    home.notifiers.register("phone", phone, START)
    with pytest.raises(InvalidInput, match="notify needs the field message"):
        home.call_service("notify", "phone", data, ANN)
    assert phone.told == []
