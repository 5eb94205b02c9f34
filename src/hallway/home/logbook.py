"""What the logbook tells beside states: that the hub started and stopped, and what others have written into it.

Such events become messages, so that they are kept and found like these. It must not know who reads them.
"""

from __future__ import annotations

from typing import Final

from hallway.home.bus import HUB_START, HUB_STOP
from hallway.home.changes import AnyChange, Fired
from hallway.home.home import Home
from hallway.home.messages import Message
from hallway.home.values import Attributes, python_text

ENTRY: Final = "logbook_entry"
"""The event by which anybody writes a line: `name` and `message`, with `domain` and `entity_id` if it is about one."""
TAG: Final = "logbook"
HUB: Final = "homeassistant"
"""The domain of what the hub says of itself."""
_STARTED, _STOPPED = "hallway: started", "hallway: stopped"
_LONGEST: Final = 200


def write_logbook(home: Home) -> None:
    """From now on such events are written down."""

    def write(change: AnyChange) -> None:
        if isinstance(change, Fired):
            _write(home, change)

    for event_type in (HUB_START, HUB_STOP, ENTRY):
        home.changes.watch(f"event:{event_type}", write)


def _write(home: Home, fired: Fired) -> None:
    data = fired.data
    if fired.event_type != ENTRY:
        if not fired.remote:
            text = _STARTED if fired.event_type == HUB_START else _STOPPED
            home.changes.after(lambda: _say(home, text, (TAG, HUB), fired))
    elif data.get("message") is not None:
        name = python_text(data.get("name", "")).replace(": ", ":")[:_LONGEST]
        entity_id = python_text(data["entity_id"]).lower()[:_LONGEST] if data.get("entity_id") else ""
        domain = python_text(data.get("domain") or entity_id.partition(".")[0])[:_LONGEST]
        text = f"{name}: {python_text(data['message'])}"
        home.changes.after(lambda: _say(home, text, (TAG, domain, entity_id), fired))


def _say(home: Home, text: str, tags: tuple[str, ...], fired: Fired) -> None:
    context = fired.context.following(fired.context.origin, fired.seq)
    home.messages.say("info", text, [tag for tag in tags if tag], context)


def entry_of(message: Message) -> Attributes:
    """The message as a line of the logbook: name, message, domain, entity_id. `is_start` tells one of the hub's."""
    name, _, text = message.text.partition(": ")
    entity_ids = [tag for tag in message.tags[1:] if "." in tag]
    domains = [tag for tag in message.tags[1:] if "." not in tag]
    return {
        "name": name,
        "message": text,
        "domain": domains[0] if domains else None,
        "entity_id": entity_ids[0] if entity_ids else None,
    }


def is_start(message: Message) -> bool:
    """Whether it says that the hub started."""
    return message.text == _STARTED and message.tags == (TAG, HUB)


def is_stop(message: Message) -> bool:
    """Whether it says that the hub stopped."""
    return message.text == _STOPPED and message.tags == (TAG, HUB)
