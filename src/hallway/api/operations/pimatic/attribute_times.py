"""The operations that say for how long attributes are kept. pimatic has them on its socket only.

It must not know how a request or answer is written.
"""

from __future__ import annotations

from typing import Final

from hallway.api.operations.base import About, Ask, Hub, Operation
from hallway.api.operations.pimatic.declaring import data, kept, text_in
from hallway.api.operations.pimatic.kept import PIMATIC, Kept
from hallway.errors import Forbidden, InvalidInput
from hallway.home.devices import Attribute
from hallway.home.logging_times import DEFAULT, LoggingTime, check_entry, checked, time_for
from hallway.home.values import Attributes, Value

AREA: Final = "database"
LOGGING: Final = "deviceAttributeLogging"


def find_attribute(hub: Hub, device_id: str, name: str) -> Attribute | None:
    """An attribute of a device of the home, if there is one."""
    device = hub.home.devices.get(device_id)
    return None if device is None else hub.forms.attributes(device).get(name)


def attribute_named(hub: Hub, device_id: str, name: str) -> Attribute:
    """An attribute of a device of the home. InvalidInput: there is none of that name."""
    if device_id not in hub.home.devices:
        raise InvalidInput(f"there is no device {device_id[:60]}")
    attribute = find_attribute(hub, device_id, name)
    if attribute is None:
        raise InvalidInput(f"device {device_id} has no attribute {name[:60]}")
    return attribute


def get_logging(hub: Hub, _ask: Ask) -> list[Value]:
    return logging_of(hub.kept)


def set_logging(hub: Hub, ask: Ask) -> object:
    _set_logging(hub, ask, checked(ask.data.get("attributeLogging")))
    return kept(hub, None)


def add_logging(hub: Hub, ask: Ask) -> object:
    """One more entry, for a device's attribute: a span of time for which it is kept, or all that an entry can say."""
    if not ask.caller.may("events:write"):  # pimatic asks for events:read, which is not enough to change something
        raise Forbidden("addDeviceAttributeLogging needs the permission events:write")
    device_id, name, time = text_in(ask.data, "deviceId"), text_in(ask.data, "attributeName"), ask.data["time"]
    more: Attributes = time if isinstance(time, dict) else {"expire": time}
    entry: Attributes = {"type": "*", **more, "deviceId": device_id, "attributeName": name}
    check_entry(entry, "time")
    others = [known for known in logging_of(hub.kept) if not _is_for(known, device_id, name)]
    _set_logging(hub, ask, checked([*others, entry]))
    return kept(hub, None)


def get_logging_time(hub: Hub, ask: Ask) -> Attributes:
    device_id, name = str(ask.data["deviceId"]), str(ask.data["attributeName"])
    time = logging_time(hub, device_id, attribute_named(hub, device_id, name))
    return {
        "expireMs": time.expire_ms,
        "intervalMs": time.interval_ms,
        "expire": time.expire,
        "interval": time.interval,
    }


def _is_for(entry: Value, device_id: str, name: str) -> bool:
    return isinstance(entry, dict) and (entry.get("deviceId"), entry.get("attributeName")) == (device_id, name)


def _database_settings(kept: Kept) -> Attributes:
    given = kept.setting(PIMATIC).get("database")
    return given if isinstance(given, dict) else {}


def logging_of(kept: Kept) -> list[Value]:
    """The list `deviceAttributeLogging`: for how long attributes are kept."""
    given = _database_settings(kept).get(LOGGING)
    return given if isinstance(given, list) else list[Value](DEFAULT)


def logging_time(hub: Hub, device_id: str, attribute: Attribute) -> LoggingTime:
    """For how long an attribute is kept, as the settings say."""
    return time_for(logging_of(hub.kept), device_id, attribute)


def _set_logging(hub: Hub, ask: Ask, entries: list[Value]) -> None:
    settings = {**hub.kept.setting(PIMATIC), "database": {**_database_settings(hub.kept), LOGGING: entries}}
    hub.kept.put("setting", PIMATIC, settings, ask.caller.context)


_ANY_TIME: Final = {"type": ["number", "boolean", "string", "array", "date", "object"]}
_BY_NAME: Final = (
    data("deviceId", "string", "id of the device", example="outside"),
    data("attributeName", "string", "name of the attribute", example="temperature"),
)


OPERATIONS: Final = (
    Operation(
        "addDeviceAttributeLogging",
        (),
        "",
        "Say for how long an attribute is kept; needs events:write",
        "events:read",
        "",
        add_logging,
        (*_BY_NAME, data("time", "", "a span such as 7d, or an object with expire and interval", schema=_ANY_TIME)),
        area=AREA,
        about=About("setting", fixed=PIMATIC),
    ),
    Operation(
        "getDeviceAttributeLogging",
        (),
        "",
        "Tell for how long attributes are kept",
        "events:read",
        "attributeLogging",
        get_logging,
        area=AREA,
        about=About("setting", fixed=PIMATIC),
        result_type="array",
    ),
    Operation(
        "setDeviceAttributeLogging",
        (),
        "",
        "Say for how long attributes are kept",
        "events:write",
        "",
        set_logging,
        (data("attributeLogging", "array", "objects with deviceId, attributeName, type, interval, expire"),),
        area=AREA,
        about=About("setting", fixed=PIMATIC),
    ),
    Operation(
        "getDeviceAttributeLoggingTime",
        (),
        "",
        "Tell for how long one attribute is kept",
        "events:read",
        "timeInfo",
        get_logging_time,
        _BY_NAME,
        area=AREA,
        result_type="object",
    ),
)
