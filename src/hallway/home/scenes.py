"""Scenes: what some entities are to be at the same time, shown as `scene.<id>` and brought about by `scene.turn_on`.

A scene keeps for each entity the state that it is to have. It must not know how an entity is brought there, nor who
wants it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, Protocol

import msgspec

from hallway.errors import Conflict, HallwayError, InvalidConfiguration, InvalidInput, NotFound
from hallway.home.abilities.base import Field
from hallway.home.announcing import START, STORE, Announcer, check_definition, check_editable
from hallway.home.calls import Call, all_of
from hallway.home.changes import Context, State, StateChange
from hallway.home.entities import Entities, Owner
from hallway.home.entity_services import LINK, entity_ids_in
from hallway.home.ids import check_entity_id, check_id, group_object_id
from hallway.home.messages import Messages
from hallway.home.orders import rearrange
from hallway.home.scene_targets import Wish, wishes, worth_keeping
from hallway.home.services import Asked, Offered, Services
from hallway.home.values import Attributes, Value, is_label, python_text

SHOWN: Final = "scening"
"""The state of every scene: it is not on or off, it can be brought about."""
MOST_MEMBERS: Final = 1000
MOST_TOLD: Final = 10


class Scene(msgspec.Struct, frozen=True):
    """A scene. members: for each entity id the `state` that it is to have, with the attributes that go with it."""

    id: str
    name: Value
    members: Mapping[str, Attributes]
    source: str = STORE

    @property
    def config(self) -> Attributes:
        """Its definition."""
        members: Attributes = {entity_id: dict(wanted) for entity_id, wanted in self.members.items()}
        return {"id": self.id, "name": self.name, "entities": members}


class Acts(Protocol):
    """What the home does for its scenes."""

    services: Services
    entities: Entities
    messages: Messages

    def state(self, entity_id: str) -> State | None: ...
    def call_service(self, domain: str, service: str, data: Attributes, context: Context) -> Call: ...


class Scenes:
    """All scenes of a home, in order."""

    def __init__(self, announcer: Announcer, home: Acts) -> None:
        self._announcer = announcer
        self._home = home
        self._all: dict[str, Scene] = {}

    def all(self) -> list[Scene]:
        return list(self._all.values())

    def ids(self) -> Collection[str]:
        return self._all.keys()

    def arrange(self, order: tuple[str, ...]) -> None:
        """Put them into that order."""
        rearrange(self._all, order)

    def get(self, scene_id: str) -> Scene:
        """The scene; NotFound otherwise."""
        try:
            return self._all[scene_id]
        except KeyError:
            raise NotFound(f"there is no scene {scene_id[:60]}") from None

    # ------------------------------------------------------------------ editing

    def add(self, config: Attributes, context: Context = START, source: str = STORE) -> Scene:
        """Take a scene into the home. InvalidConfiguration: it cannot be; Conflict: its id is taken."""
        scene = self._scene_of(config, source)
        if scene.id in self._all:
            raise Conflict(f"there is a scene {scene.id} already")
        self._home.entities.claim(Owner("scene", _key(scene.id)), "scene", group_object_id(scene.id))
        return self._put(None, scene, context)

    def change(self, scene_id: str, config: Attributes, context: Context) -> Scene:
        """Change what the config names: name, entities."""
        scene = self._editable(scene_id)
        given: Attributes = {key: config[key] for key in ("name", "entities") if key in config}
        return self._put(scene, self._scene_of({**scene.config, **given, "id": scene_id}, scene.source), context)

    def remove(self, scene_id: str, context: Context) -> Scene:
        """Take a scene out of the home. NotFound: there is none."""
        scene = self._editable(scene_id)
        del self._all[scene_id]
        entity_id = self._home.entities.kept[_key(scene_id)]
        states = (StateChange(entity_id, self._home.entities.drop(entity_id), None),)
        self._announcer.tell_removed(("scene", scene_id), scene, scene.config, context, scene.source, states)
        return scene

    def _editable(self, scene_id: str) -> Scene:
        scene = self.get(scene_id)
        check_editable(f"scene {scene_id}", scene.source)
        return scene

    def _put(self, old: Scene | None, scene: Scene, context: Context) -> Scene:
        self._all[scene.id] = scene
        shown: Attributes = {"entity_id": list(scene.members), "friendly_name": str(scene.name)}
        moved = tuple(self._home.entities.show(_key(scene.id), SHOWN, shown, self._announcer.now()))
        bodies = (None if old is None else old.config, scene.config)
        self._announcer.tell(("scene", scene.id), bodies, context, scene.source, moved)
        self._offer(context)
        return scene

    def _scene_of(self, config: Attributes, source: str) -> Scene:
        scene_id = check_id("scene", config.get("id"))
        name = config.get("name")
        if name is not None and not is_label(name):
            raise InvalidConfiguration(f"scene {scene_id}: name must be a text")
        given = config.get("entities")
        if isinstance(given, list):
            given = {str(entity_id).lower(): self._captured(scene_id, str(entity_id)) for entity_id in given}
        if not isinstance(given, dict) or not given or len(given) > MOST_MEMBERS:
            raise InvalidConfiguration(
                f"scene {scene_id}: entities must name 1 to {MOST_MEMBERS} entities: an object such as "
                '{"light.hall": {"state": "on", "brightness": 120}}, or a list of ids to keep what they show now'
            )
        members = dict(self._member(scene_id, entity_id, wanted) for entity_id, wanted in given.items())
        scene = Scene(scene_id, scene_id if name is None else name, members, source)
        check_definition(scene.config)
        return scene

    def _captured(self, scene_id: str, entity_id: str) -> Attributes:
        state = self._home.state(entity_id)
        if state is None:
            raise InvalidConfiguration(f"scene {scene_id}: there is no entity {entity_id[:60]} to keep")
        return worth_keeping(state.entity_id, state.state, state.attributes)

    def _member(self, scene_id: str, entity_id: str, given: Value) -> tuple[str, Attributes]:
        """A member as it is kept. What nobody could bring about is refused now, not when it is wanted."""
        try:
            known = check_entity_id(entity_id)
        except InvalidInput as error:
            raise InvalidConfiguration(f"scene {scene_id}: {error.message}") from None
        wanted: Attributes = given if isinstance(given, dict) else {"state": _state_text(given)}
        if not isinstance(wanted.get("state"), str):
            wanted = {**wanted, "state": _state_text(wanted.get("state"))}
        owner = self._home.entities.owners.get(known)
        only_told = owner is not None and bool(owner.told_by) and not owner.told_by.startswith(LINK)
        if only_told or not wishes(known, wanted):
            raise InvalidConfiguration(
                f"scene {scene_id}: nothing can bring {known} to the state {str(wanted['state'])[:40]!r}; "
                "name entities that have services, such as light.hall with on or off"
            )
        return known, wanted

    # ------------------------------------------------------------------ bringing about

    def _offer(self, context: Context) -> None:
        """`scene.turn_on`, once there is a scene."""
        if not self._home.services.has("scene", "turn_on"):
            fields = (Field("entity_id", "one entity id or a list", required=True),)
            offered = Offered("Bring scenes about", fields, self._check, self._run)
            self._home.services.register("scene", "turn_on", offered, context)

    def activate(self, scene_id: str, context: Context) -> Call:
        """Bring a scene about; done when everything was called. What cannot be now is told as a message of the home."""
        scene, calls = self.get(scene_id), list[Call]()
        for entity_id, wanted in scene.members.items():
            try:
                planned = self._planned(entity_id, wanted)
            except HallwayError as error:
                self._home.messages.say("warn", f"scene {scene.name}: {error.message}", ("scene",), context)
            else:
                calls += [self._home.call_service(*wish, context) for wish in planned]
        return all_of(calls)

    def told(self, entity_id: str) -> str:
        """A scene, with what it would bring about now and what not, in words; a scene of another hub by its name."""
        ids = self._named({"entity_id": entity_id})
        scene = self._all.get(ids[0]) if ids else None
        if scene is None:
            shown = self._home.state(entity_id)
            name = shown.attributes.get("friendly_name") if shown is not None else None
            return f"scene {entity_id.removeprefix('scene.') if name is None else name}"
        parts: list[str] = []
        for member, wanted in list(scene.members.items())[:MOST_TOLD]:
            try:
                self._planned(member, wanted)
            except HallwayError as error:
                parts.append(f"not {member}, since {error.message}")
            else:
                parts.append(f"{member} {', '.join(_words(name, value) for name, value in wanted.items())}")
        more = len(scene.members) - len(parts)
        return f"scene {scene.name}: {'; '.join(parts)}" + (f"; and {more} more" if more else "")

    def _planned(self, entity_id: str, wanted: Attributes) -> list[Wish]:
        if entity_id not in self._home.entities.owners:
            raise NotFound(f"there is no entity {entity_id}")
        planned = wishes(entity_id, wanted)
        for wish in planned:
            self._home.services.check(*wish)
        return planned

    def _check(self, data: Attributes) -> None:
        if not self._named(data):
            raise InvalidInput("scene.turn_on needs entity_id: a scene such as scene.dinner, or a list of them")

    def _run(self, asked: Asked) -> Call:
        self._check(asked.data)
        return all_of([self.activate(scene_id, asked.context) for scene_id in self._named(asked.data)])

    def _named(self, data: Attributes) -> list[str]:
        owners = self._home.entities.owned(entity_ids_in(data) or ())
        return [owner.key.removeprefix("scene:") for _entity_id, owner in owners if owner.kind == "scene"]


def _key(scene_id: str) -> str:
    return f"scene:{scene_id}"


def _words(name: str, value: Value) -> str:
    return str(value) if name == "state" else f"{name} {python_text(value)}"


def _state_text(given: Value) -> str:
    """A state as somebody writes it: `on` in a YAML file is true."""
    if isinstance(given, bool):
        return "on" if given else "off"
    return "" if given is None else str(given)
