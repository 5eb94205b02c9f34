"""Who carries notifications to people: `notify.notify` reaches all of them, `notify.<name>` one.

A plugin registers what it can send by. A line in the message list and the event `notification` come with each, so that
nobody needs a plugin to be told. It must not know how a text gets to a person.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from hallway.errors import Conflict, HallwayError, InvalidInput, Unreachable
from hallway.home.abilities.base import Field
from hallway.home.calls import Call, all_of
from hallway.home.changes import Context, Unsubscribe
from hallway.home.messages import Messages
from hallway.home.services import Asked, Offered, Services
from hallway.home.values import Attributes, python_text

log = logging.getLogger(__name__)

DOMAIN: Final = "notify"
ALL: Final = "notify"
NOTIFICATION: Final = "notification"
"""The event on the bus, and the tag in the message list."""
_FIELDS: Final = (
    Field("message", "what is to be told", required=True, example="The washing is done"),
    Field("title", "what stands above it"),
)


class Notification(msgspec.Struct, frozen=True):
    """What people are to be told; title: empty when there is none."""

    message: str
    title: str = ""


Notify = Callable[[Notification, Context], Call]
"""Sends a notification on its way; the call is done when it has left."""


class Tells(Protocol):
    """What the home does for its notifiers."""

    services: Services
    messages: Messages

    def fire(self, event_type: str, data: Attributes, context: Context) -> None: ...


class Notifiers:
    """All that can carry a notification."""

    def __init__(self, home: Tells) -> None:
        self._home = home
        self._ways: dict[str, Notify] = {}

    def register(self, name: str, notify: Notify, context: Context) -> Unsubscribe:
        """Offer a way to people as `notify.<name>` from now on, with the first one also `notify.notify`.

        A hub that has none leaves that service to the hubs it is linked with. Conflict: there is one of that name.
        """
        if name == ALL or name in self._ways:
            raise Conflict(f"there is a notifier {name} already: give this one another name")
        self._ways[name] = notify
        if not self._home.services.has(DOMAIN, ALL):
            everybody = Offered("Tell everybody", _FIELDS, _check, self._run_all)
            self._home.services.register(DOMAIN, ALL, everybody, context)
        offered = Offered(f"Tell people by way of {name}", _FIELDS, _check, self._run_one)
        self._home.services.register(DOMAIN, name, offered, context)

        def unsubscribe() -> None:
            self._ways.pop(name, None)
            self._home.services.withdraw(DOMAIN, name)
            if not self._ways:
                self._home.services.withdraw(DOMAIN, ALL)

        return unsubscribe

    def tell(self, notification: Notification, context: Context) -> Call:
        """Tell everybody: event, message list, and every way there is; one that fails does not hinder the others."""
        data: Attributes = {"message": notification.message}
        if notification.title:
            data["title"] = notification.title
        text = ": ".join(filter(None, (notification.title, notification.message)))
        self._home.messages.say("info", text, (NOTIFICATION,), context)
        self._home.fire(NOTIFICATION, data, context)
        return all_of([_sent(name, notify, notification, context) for name, notify in list(self._ways.items())])

    def _run_all(self, asked: Asked) -> Call:
        return self.tell(_notification(asked.data), asked.context)

    def _run_one(self, asked: Asked) -> Call:
        way = self._ways[asked.service]
        return _sent(asked.service, way, _notification(asked.data), asked.context)


def _sent(name: str, notify: Notify, notification: Notification, context: Context) -> Call:
    """A notifier comes from anybody: whatever it does wrong ends this one call, with its reason, and no more."""
    try:
        call = notify(notification, context)
        if not isinstance(call, Call):
            raise TypeError(f"it returned {type(call).__name__} and no call")  # noqa: TRY301 - a fault like others
    except HallwayError as error:
        return _failed(error)
    except Exception as error:
        log.exception("the notifier %s has a fault", name)
        why = ": ".join(filter(None, (type(error).__name__, str(error))))
        return _failed(Unreachable(f"the notifier {name} has a fault: {why}"))
    return call


def _failed(error: HallwayError) -> Call:
    call = Call()
    call.fail(error)
    return call


def _check(data: Attributes) -> None:
    if not isinstance(data.get("message"), str | int | float):
        raise InvalidInput('notify needs the field message: a text, as in {"message": "The washing is done"}')


def _notification(data: Attributes) -> Notification:
    _check(data)
    title = data.get("title")
    return Notification(python_text(data["message"]), "" if title is None else python_text(title))
