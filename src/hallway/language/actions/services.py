"""Actions on the bus: `call light.turn_on with {"entity_id": "light.hall"}`, `fire event "x"`, `activate scene dinner`.

It must not know other kinds of actions.
"""

from __future__ import annotations

import re
from typing import Final

from hallway.home.changes import Context
from hallway.home.home import Home
from hallway.home.values import Attributes
from hallway.language.deeds import Deed, Outcome
from hallway.language.literals import read_pairs
from hallway.language.matching import Reader
from hallway.language.registry import ActionKind
from hallway.language.words import words

_SERVICE: Final = re.compile(r"([A-Za-z0-9_]+)\.([A-Za-z0-9_]+)")
_SCENES: Final = "scene."


class CallService(Deed, frozen=True):
    """Call a service with data."""

    domain: str
    service: str
    data: Attributes

    def announce(self, home: Home) -> str:
        return f"would call {self.domain}.{self.service}"

    def run(self, home: Home, context: Context) -> Outcome:
        call = home.call_service(self.domain, self.service, self.data, context)
        return Outcome(f"{self.domain}.{self.service} called", call=call)


class CallAnyService(ActionKind):
    """`call domain.service with …`; the service need not be there yet."""

    provider = "ServiceActionProvider"
    begins = ("call",)
    _verb: Final = words("call ", quiet=True)

    def read(self, reader: Reader) -> Deed | None:
        if not reader.take(self._verb):
            return None
        if reader.hints is not None and not reader.done:
            listing = reader.vocabulary.home.services.listing()
            reader.hints.offer((f"{domain}.{name}" for domain in listing for name in listing[domain]), reader.rest)
        service = reader.match(_SERVICE, "a service, as in light.turn_on")
        data = read_pairs(reader) if service else None
        return None if service is None or data is None else CallService(service[1], service[2], data)


class Fire(Deed, frozen=True):
    """Send an event over the bus."""

    event_type: str
    data: Attributes

    def announce(self, home: Home) -> str:
        return f"would fire the event {self.event_type}"

    def run(self, home: Home, context: Context) -> Outcome:
        home.fire(self.event_type, self.data, context)
        return Outcome(f"event {self.event_type} fired")


class FireEvent(ActionKind):
    """`fire event "name" with …`."""

    provider = "EventActionProvider"
    begins = ("fire",)
    _verb: Final = words("fire event ", quiet=True)

    def read(self, reader: Reader) -> Deed | None:
        name = reader.quoted() if reader.take(self._verb) else None
        data = read_pairs(reader) if name else None
        return None if not name or data is None else Fire(name, data)


class Activate(Deed, frozen=True):
    """Bring a scene about; what it sets is told as it is at that moment."""

    entity_id: str

    def announce(self, home: Home) -> str:
        return f"would activate {home.scenes.told(self.entity_id)}"

    def run(self, home: Home, context: Context) -> Outcome:
        text = f"activated {home.scenes.told(self.entity_id)}"
        return Outcome(text, call=home.call_service("scene", "turn_on", {"entity_id": self.entity_id}, context))


class ActivateScene(ActionKind):
    """`activate scene dinner`, by the id or the name of a scene that exists."""

    provider = "SceneActionProvider"
    begins = ("activate",)
    _verb: Final = words("activate scene ", quiet=True)

    def read(self, reader: Reader) -> Deed | None:
        if not reader.take(self._verb):
            return None
        scenes = {state.entity_id: state for state in reader.vocabulary.home.states() if _is_scene(state.entity_id)}
        names = {str(state.attributes.get("friendly_name")): entity_id for entity_id, state in scenes.items()}
        ids = {entity_id.removeprefix(_SCENES): entity_id for entity_id in scenes}
        known = names | ids
        chosen = reader.choose(tuple(known))
        if chosen is None:
            reader.seek("the id or name of a scene")
            return None
        return Activate(known[chosen])


def _is_scene(entity_id: str) -> bool:
    return entity_id.startswith(_SCENES)
