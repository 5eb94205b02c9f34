"""The operations on scenes: list, define, keep what is now, remove, bring about.

Who defines a scene needs what its members need, since whoever may control devices may bring it about. It must not know
how a request or answer is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hallway.access.callers import Caller
from hallway.api.operations.awaiting import SERVICE_WAIT, finished
from hallway.api.operations.base import About, Ask, Hub, Operation, never
from hallway.api.operations.entity_scopes import check_call, may_see
from hallway.api.operations.pimatic.declaring import data, kept, maybe, object_in, path, refusing
from hallway.errors import InvalidInput
from hallway.home.scenes import Scene
from hallway.home.values import Attributes

AREA: Final = "scenes"
KEYS: Final = ("name", "entities")


def get_scenes(hub: Hub, ask: Ask) -> object:
    return [_form(scene, ask.caller) for scene in hub.home.scenes.all()]


def get_scene(hub: Hub, ask: Ask) -> object:
    wanted = str(ask.data["sceneId"])
    return _form(hub.home.scenes.get(wanted), ask.caller) if wanted in hub.home.scenes.ids() else None


def _form(scene: Scene, caller: Caller) -> Attributes:
    """A scene with those of its members that the caller may see."""
    members: Attributes = {key: dict(wanted) for key, wanted in scene.members.items() if may_see(caller, key)}
    return {**scene.config, "entities": members}


def add_scene(hub: Hub, ask: Ask) -> object:
    given = _given(ask)
    with refusing():
        scene = hub.home.scenes.add({**given, "id": str(ask.data["sceneId"])}, ask.caller.context)
    return kept(hub, _form(scene, ask.caller))


def update_scene(hub: Hub, ask: Ask) -> object:
    given, wanted = _given(ask), str(ask.data["sceneId"])
    with refusing():
        _allow(ask.caller, hub.home.scenes.get(wanted).members)
        scene = hub.home.scenes.change(wanted, given, ask.caller.context)
    return kept(hub, _form(scene, ask.caller))


def remove_scene(hub: Hub, ask: Ask) -> object:
    wanted = str(ask.data["sceneId"])
    with refusing():
        _allow(ask.caller, hub.home.scenes.get(wanted).members)
        scene = hub.home.scenes.remove(wanted, ask.caller.context)
    return kept(hub, _form(scene, ask.caller))


def _given(ask: Ask) -> Attributes:
    given = object_in(ask.data, "scene")
    unknown = [key for key in given if key not in (*KEYS, "id")]
    if unknown:
        raise InvalidInput(f"scene has no {unknown[0][:40]!r}: give {' and '.join(KEYS)}")
    entities = given.get("entities")
    if isinstance(entities, dict | list):
        _allow(ask.caller, (str(entity_id) for entity_id in entities))
    return {key: given[key] for key in KEYS if key in given}


def _allow(caller: Caller, entity_ids: Iterable[str]) -> None:
    """Forbidden: the caller may not use all that a scene has."""
    for entity_id in entity_ids:
        check_call(caller, "homeassistant", "turn_on", {"entity_id": entity_id})


async def activate_scene(hub: Hub, ask: Ask) -> bool:
    """Whether everything was done within ten seconds; what takes longer goes on."""
    with refusing():
        call = hub.home.scenes.activate(str(ask.data["sceneId"]), ask.caller.context)
    if not call.done:
        await finished(call, SERVICE_WAIT)
    if call.error is not None:
        raise call.error
    await hub.store.durable(hub.home.changes.seq)
    return call.done


_ID = path("sceneId", "id of the scene", "dinner")
_SCENE_FIELDS: Final = (
    maybe("name", "string", "what people call it", example="Dinner"),
    maybe(
        "entities",
        "",
        "for each entity the state that it is to have, with attributes; or a list of entities, to keep what they show",
        example={"light.bed_light": {"state": "on", "brightness": 80}},
    ),
)
_EXAMPLE: Final[Attributes] = {"name": "Dinner", "entities": {"light.bed_light": {"state": "on", "brightness": 80}}}
OPERATIONS: Final = (
    Operation(
        "getScenes",
        ("GET",),
        "/api/scenes",
        "List all scenes",
        "devices:read",
        "scenes",
        get_scenes,
        area=AREA,
        result_type="array",
    ),
    Operation(
        "getSceneById",
        ("GET",),
        "/api/scenes/{sceneId}",
        "Tell everything about one scene",
        "devices:read",
        "scene",
        get_scene,
        (_ID,),
        area=AREA,
        about=About("scene", ("sceneId",)),
        result_type="object",
    ),
    Operation(
        "addScene",
        ("POST",),
        "/api/scenes/{sceneId}",
        "Add a scene",
        "devices:write",
        "scene",
        add_scene,
        (_ID, data("scene", "object", "the scene", example=_EXAMPLE, fields=_SCENE_FIELDS)),
        area=AREA,
        about=About("scene", ("sceneId",)),
        result_type="object",
    ),
    Operation(
        "updateScene",
        ("PATCH",),
        "/api/scenes/{sceneId}",
        "Give a scene another name or other entities",
        "devices:write",
        "scene",
        update_scene,
        (_ID, data("scene", "object", "what is to be different", example={"name": "Supper"}, fields=_SCENE_FIELDS)),
        area=AREA,
        about=About("scene", ("sceneId",)),
        result_type="object",
    ),
    Operation(
        "removeScene",
        ("DELETE",),
        "/api/scenes/{sceneId}",
        "Remove a scene",
        "devices:write",
        "removed",
        remove_scene,
        (_ID,),
        area=AREA,
        about=About("scene", ("sceneId",)),
        result_type="object",
    ),
    Operation(
        "activateScene",
        ("POST",),
        "/api/scenes/{sceneId}/activate",
        "Bring a scene about",
        "controlDevices",
        "activated",
        activate_scene,
        (_ID,),
        area=AREA,
        result_type="boolean",
        at_once=never,
    ),
)
