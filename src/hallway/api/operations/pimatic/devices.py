"""The operations on devices: list, define, order, find, and let them do something.

It must not know how a request or answer is written.
"""

from __future__ import annotations

from typing import Final

from hallway.api.operations.base import About, Ask, Hub, Operation
from hallway.api.operations.pimatic.blanking import unblanked
from hallway.api.operations.pimatic.coercion import boolean_of, number_of
from hallway.api.operations.pimatic.declaring import data, kept, maybe, object_in, order_in, path, refusing
from hallway.api.operations.pimatic.schemas import config_schema
from hallway.errors import InvalidInput
from hallway.home.classes import CLASSES
from hallway.home.devices import Action
from hallway.home.values import Attributes, Value

AREA: Final = "devices"
DISCOVERY_TIME: Final = 20_000
"""Milliseconds."""


def get_devices(hub: Hub, _ask: Ask) -> object:
    return hub.forms.devices()


def get_device(hub: Hub, ask: Ask) -> object:
    device = hub.home.devices.get(str(ask.data["deviceId"]))
    return None if device is None else hub.forms.device(device)


def order_devices(hub: Hub, ask: Ask) -> object:
    order = order_in(ask.data, "deviceOrder")
    hub.home.set_order("device", order, ask.caller.context)
    return kept(hub, order)


def get_classes(_hub: Hub, _ask: Ask) -> list[str]:
    return [known.name for known in CLASSES.values() if not known.built_in]


def get_config_schema(_hub: Hub, ask: Ask) -> object:
    known = CLASSES.get(str(ask.data["className"]))
    return None if known is None else config_schema(known)


def add_device(hub: Hub, ask: Ask) -> object:
    config = _device_config(ask)
    with refusing():
        device = hub.home.add_device(config, "store", ask.caller.context)
    return kept(hub, hub.forms.new_device(device))


def change_device(hub: Hub, ask: Ask) -> object:
    config = _device_config(ask)
    known = hub.home.devices.get(str(config["id"]))
    if known is not None:
        config = unblanked(config, known.config)
    with refusing():
        device = hub.home.change_device(config, ask.caller.context)
    return kept(hub, hub.forms.new_device(device))


def _device_config(ask: Ask) -> Attributes:
    """The config of a device: pimatic wants id, name and class, all of them texts."""
    config = object_in(ask.data, "deviceConfig")
    for name in ("id", "name", "class"):
        if not isinstance(config.get(name), str) or not config[name]:
            raise InvalidInput(f"deviceConfig needs {name}: a text that is not empty")
    return config


def remove_device(hub: Hub, ask: Ask) -> object:
    device = hub.home.devices.get(str(ask.data["deviceId"]))
    if device is None:
        return None
    form = hub.forms.device(device)
    with refusing():
        hub.home.remove_device(device.id, ask.caller.context)
    return kept(hub, form)


def discover(hub: Hub, ask: Ask) -> bool:
    """Devices that announce themselves are taken in as they come: who looks for more is told so, and to begin."""
    time = number_of("time", ask.data["time"]) if "time" in ask.data else DISCOVERY_TIME
    hub.announcements.announce("discover", {"time": time}, "devices:read")
    return True


def call_action(hub: Hub, ask: Ask) -> Value:
    """Everything beside the two names is a parameter of the action."""
    with refusing():
        device = hub.home.device(str(ask.data["deviceId"]))
        action = device.action(str(ask.data["actionName"]))
        return hub.home.act(device.id, action.name, _arguments(action, ask.data), ask.caller.context)


def _arguments(action: Action, given: Attributes) -> Attributes:
    """The parameters of the action in their types; one that is missing is named by the action itself."""
    arguments: Attributes = {}
    for parameter in action.parameters:
        value = given.get(parameter.name)
        if value is not None and parameter.type == "number":
            value = number_of(parameter.name, value)
        elif value is not None and parameter.type == "boolean":
            value = boolean_of(parameter.name, value)
        arguments[parameter.name] = value
    return arguments


_PROPERTIES: Final = {
    "id": {"description": "Unique id", "type": "string"},
    "name": {"description": "What people call it", "type": "string"},
    "template": {"description": "The widget that shows it", "type": "string"},
    "attributes": {"description": "What can be read of it, with values", "type": "array"},
    "actions": {"description": "What it can do", "type": "array"},
    "config": {"description": "How it is defined", "type": "object"},
    "configDefaults": {"description": "What counts where the config says nothing", "type": "object"},
}
_DEVICE: Final = {"type": "object", "toJson": True, "properties": _PROPERTIES}
_ID = path("deviceId", "id of the device", "bed_light")
_CONFIG = data(
    "deviceConfig",
    "object",
    "id, name, class and the options of that class",
    example={"id": "lamp", "name": "Lamp", "class": "DummySwitch"},
)

OPERATIONS: Final = (
    Operation(
        "getDevices",
        ("GET",),
        "/api/devices",
        "List all devices with their values",
        "devices:read",
        "devices",
        get_devices,
        area=AREA,
        result_type="array",
        result_schema={"description": "All devices", "toJson": True, "items": {"device": _DEVICE}},
    ),
    Operation(
        "getDeviceById",
        ("GET",),
        "/api/devices/{deviceId}",
        "Tell everything about one device",
        "devices:read",
        "device",
        get_device,
        (_ID,),
        area=AREA,
        about=About("device", ("deviceId",)),
        result_type="object",
        result_schema={**_DEVICE, "description": "The device"},
    ),
    Operation(
        "updateDeviceOrder",
        ("POST",),
        "/api/devices",
        "Say in which order devices are shown",
        "devices:write",
        "deviceOrder",
        order_devices,
        (data("deviceOrder", "array", "ids of devices; those left out follow"),),
        area=AREA,
        about=About("order", fixed="device"),
        result_type="array",
    ),
    Operation(
        "getDeviceClasses",
        ("GET",),
        "/api/device-class",
        "List the classes that a device may have",
        "devices:read",
        "deviceClasses",
        get_classes,
        area=AREA,
        result_type="array",
    ),
    Operation(
        "getDeviceConfigSchema",
        ("GET",),
        "/api/device-class/{className}",
        "Tell which options a class has, as JSON schema",
        "devices:read",
        "configSchema",
        get_config_schema,
        (path("className", "name of the class", "DummySwitch"),),
        area=AREA,
        result_type="object",
    ),
    Operation(
        "addDeviceByConfig",
        ("POST",),
        "/api/device-config",
        "Add a device",
        "devices:write",
        "device",
        add_device,
        (_CONFIG,),
        area=AREA,
        about=About("device", ("deviceConfig", "id")),
        result_type="object",
        result_schema=_DEVICE,
    ),
    Operation(
        "updateDeviceByConfig",
        ("PATCH",),
        "/api/device-config",
        "Define a device anew; options that are left out get their defaults",
        "devices:write",
        "device",
        change_device,
        (_CONFIG,),
        area=AREA,
        about=About("device", ("deviceConfig", "id")),
        result_type="object",
        result_schema=_DEVICE,
    ),
    Operation(
        "removeDevice",
        ("DELETE",),
        "/api/device-config/{deviceId}",
        "Remove a device, from its pages and groups too",
        "devices:write",
        "device",
        remove_device,
        (_ID,),
        area=AREA,
        about=About("device", ("deviceId",)),
        result_type="object",
        result_schema=_DEVICE,
    ),
    Operation(
        "discoverDevices",
        ("POST",),
        "/api/discover-devices",
        "Look for new devices",
        "devices:write",
        "",
        discover,
        (maybe("time", "number", "milliseconds to look for", example=20000),),
        area=AREA,
    ),
    Operation(
        "callDeviceAction",
        ("GET",),
        "/api/device/{deviceId}/{actionName}",
        "Let a device do something",
        "controlDevices",
        "",
        call_action,
        (_ID, path("actionName", "one of its actions", "turnOn")),
        free_data="the parameters of the action",
        area=AREA,
    ),
)
