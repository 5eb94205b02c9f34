"""The operations on what is kept: messages, what attributes were, for how long it is kept.

It must not know how a request or answer is written.
"""

from __future__ import annotations

from typing import Final, cast

from hallway.api.operations.base import Ask, Hub, Operation, never
from hallway.api.operations.pimatic import kept as keeping
from hallway.api.operations.pimatic.coercion import number_of
from hallway.api.operations.pimatic.declaring import ANY, DATE, data, kept, maybe, path, text_in
from hallway.api.operations.pimatic.forms import message_form, milliseconds
from hallway.api.operations.pimatic.history import MOST_EVENTS, Column, Event, KnownAttribute, Wanted
from hallway.api.operations.pimatic.logging_times import DEFAULT, LoggingTime, check_entry, checked, time_for
from hallway.api.operations.pimatic.messages import count_in, texts_in, time_in, wanted_messages
from hallway.errors import Forbidden, InvalidInput
from hallway.home.devices import Attribute
from hallway.home.values import Attributes, Value

AREA: Final = "database"
COLUMNS: Final = ("time", "value", "deviceId", "attributeName", "type")
LOGGING: Final = "deviceAttributeLogging"


# ---------------------------------------------------------------------- messages


def query_messages(hub: Hub, ask: Ask) -> object:
    wanted = wanted_messages(ask.data.get("criteria"))
    return [message_form(message) for message in wanted.of(hub.home.messages.all())]


def count_messages(hub: Hub, ask: Ask) -> int:
    wanted = wanted_messages(ask.data.get("criteria"))
    return sum(1 for message in hub.home.messages.all() if wanted.fits(message))


def query_tags(hub: Hub, ask: Ask) -> list[str]:
    wanted = wanted_messages(ask.data.get("criteria"))
    return list(dict.fromkeys(tag for message in wanted.of(hub.home.messages.all()) for tag in message.tags))


def delete_messages(hub: Hub, ask: Ask) -> int:
    wanted = wanted_messages(ask.data.get("criteria"))
    return hub.home.messages.forget({message.id for message in wanted.of(hub.home.messages.all())})


# ---------------------------------------------------------------------- events


async def query_events(hub: Hub, ask: Ask) -> list[Attributes]:
    given = _criteria(ask)
    devices, attributes = (
        frozenset(texts_in(given.get(name), f"criteria.{name}")) or None for name in ("deviceId", "attributeName")
    )
    events = await hub.history.events(_wanted(given, devices, attributes, descending=True))
    return [
        {"deviceId": event.device_id, "attributeName": event.attribute, "type": event.type, **_event_form(event)}
        for event in events
    ]


async def query_single(hub: Hub, ask: Ask) -> list[Attributes]:
    device_id, name = str(ask.data["deviceId"]), str(ask.data["attributeName"])
    _attribute(hub, device_id, name)
    wanted = _wanted(_criteria(ask), frozenset({device_id}), frozenset({name}), descending=False)
    return [_event_form(event) for event in await hub.history.events(wanted)]


def _criteria(ask: Ask) -> Attributes:
    given = ask.data.get("criteria")
    return given if isinstance(given, dict) else {}


def _wanted(
    given: Attributes, devices: frozenset[str] | None, attributes: frozenset[str] | None, *, descending: bool
) -> Wanted:
    order, direction = given.get("order", "time"), given.get("orderDirection")
    if order not in COLUMNS:
        raise InvalidInput(f"criteria.order must be one of {', '.join(COLUMNS)}, not {str(order)[:40]!r}")
    if direction is not None and str(direction).lower() not in ("asc", "desc"):
        raise InvalidInput(f"criteria.orderDirection must be asc or desc, not {str(direction)[:40]!r}")
    if direction is not None:
        descending = str(direction).lower() == "desc"
    elif "order" in given:
        descending = False
    span = given.get("groupByTime")
    every = None if span is None else number_of("criteria.groupByTime", span) / 1000
    if every is not None and every <= 0:
        raise InvalidInput("criteria.groupByTime must be more than 0 milliseconds")
    return Wanted(
        devices,
        attributes,
        time_in(given, "after"),
        time_in(given, "before"),
        cast("Column", order),
        descending,
        count_in(given, "offset", 0),
        count_in(given, "limit", MOST_EVENTS),
        every,
    )


def _event_form(event: Event) -> Attributes:
    return {"time": milliseconds(event.at), "value": event.value}


async def count_events(hub: Hub, _ask: Ask) -> int:
    return sum((await hub.history.counts()).values())


async def count_by_attribute(hub: Hub, _ask: Ask) -> list[Attributes]:
    counts = await hub.history.counts()
    return [{"deviceAttributeId": number, "count": count} for number, count in counts.items()]


async def query_devices(hub: Hub, _ask: Ask) -> list[Attributes]:
    return [_known_form(known) for known in await hub.history.attributes()]


async def query_info(hub: Hub, _ask: Ask) -> list[Attributes]:
    found = []
    for known in await hub.history.attributes():
        attribute = _found(hub, known.device_id, known.name)
        if attribute is not None:
            time = _logging_time(hub, known.device_id, attribute)
            more: Attributes = {"discrete": known.discrete, "interval": time.interval, "expire": time.expire}
            found.append(_known_form(known) | more)
    return found


def _known_form(known: KnownAttribute) -> Attributes:
    return {"id": known.id, "deviceId": known.device_id, "attributeName": known.name, "type": known.type}


def _found(hub: Hub, device_id: str, name: str) -> Attribute | None:
    device = hub.home.devices.get(device_id)
    return None if device is None else hub.forms.attributes(device).get(name)


def _attribute(hub: Hub, device_id: str, name: str) -> Attribute:
    if device_id not in hub.home.devices:
        raise InvalidInput(f"there is no device {device_id[:60]}")
    attribute = _found(hub, device_id, name)
    if attribute is None:
        raise InvalidInput(f"device {device_id} has no attribute {name[:60]}")
    return attribute


# ---------------------------------------------------------------------- for how long


def get_logging(hub: Hub, _ask: Ask) -> list[Value]:
    return _logging(hub)


async def set_logging(hub: Hub, ask: Ask) -> object:
    _set_logging(hub, ask, checked(ask.data.get("attributeLogging")))
    return await kept(hub, None)


async def add_logging(hub: Hub, ask: Ask) -> object:
    """One more entry, for a device's attribute: a span of time for which it is kept, or all that an entry can say."""
    if not ask.caller.may("events:write"):  # pimatic asks for events:read, which is not enough to change something
        raise Forbidden("addDeviceAttributeLogging needs the permission events:write")
    device_id, name, time = text_in(ask.data, "deviceId"), text_in(ask.data, "attributeName"), ask.data["time"]
    more: Attributes = time if isinstance(time, dict) else {"expire": time}
    entry: Attributes = {"type": "*", **more, "deviceId": device_id, "attributeName": name}
    check_entry(entry, "time")
    others = [known for known in _logging(hub) if not _is_for(known, device_id, name)]
    _set_logging(hub, ask, checked([*others, entry]))
    return await kept(hub, None)


def get_logging_time(hub: Hub, ask: Ask) -> Attributes:
    device_id, name = str(ask.data["deviceId"]), str(ask.data["attributeName"])
    time = _logging_time(hub, device_id, _attribute(hub, device_id, name))
    return {
        "expireMs": time.expire_ms,
        "intervalMs": time.interval_ms,
        "expire": time.expire,
        "interval": time.interval,
    }


def _is_for(entry: Value, device_id: str, name: str) -> bool:
    return isinstance(entry, dict) and (entry.get("deviceId"), entry.get("attributeName")) == (device_id, name)


def _database_settings(hub: Hub) -> Attributes:
    given = hub.kept.setting(keeping.PIMATIC).get("database")
    return given if isinstance(given, dict) else {}


def _logging(hub: Hub) -> list[Value]:
    given = _database_settings(hub).get(LOGGING)
    return given if isinstance(given, list) else list[Value](DEFAULT)


def _logging_time(hub: Hub, device_id: str, attribute: Attribute) -> LoggingTime:
    return time_for(_logging(hub), device_id, attribute)


def _set_logging(hub: Hub, ask: Ask, entries: list[Value]) -> None:
    settings = {**hub.kept.setting(keeping.PIMATIC), "database": {**_database_settings(hub), LOGGING: entries}}
    hub.kept.put("setting", keeping.PIMATIC, settings, ask.caller.context)


# ---------------------------------------------------------------------- maintenance


def vacuum(_hub: Hub, _ask: Ask) -> list[Value]:
    """The files of this hub need none: they are packed as they are written."""
    return []


async def check(hub: Hub, _ask: Ask) -> list[Attributes]:
    """What is kept of attributes that are gone."""
    return [
        _known_form(known)
        | {
            "attribute": known.name,
            "description": f"there is no device {known.device_id} with an attribute {known.name} any more",
            "action": "delete",
        }
        for known in await hub.history.attributes()
        if _found(hub, known.device_id, known.name) is None
    ]


async def delete_attribute(hub: Hub, ask: Ask) -> list[Value]:
    """How many attributes went, and how many of their events."""
    events = await hub.history.forget(_number(ask))
    return [0, 0] if events is None else [1, events]


async def update_attribute(hub: Hub, ask: Ask) -> None:
    """Note anew what the attribute is: it always is, as long as there is one."""
    number = _number(ask)
    for known in await hub.history.attributes():
        if known.id == number:
            _attribute(hub, known.device_id, known.name)


def _number(ask: Ask) -> int:
    return int(number_of("id", ask.data["id"]))


_MESSAGES: Final = maybe(
    "criteria",
    "object",
    "which messages: of one level or several, from a time to another, and how many",
    example={"level": "error", "limit": 10},
    fields=(
        maybe("level", "", "a level or a list of levels: error, warn, info, debug", schema=ANY),
        maybe("levelOp", "string", "=, <, <=, >, >= or <>; error is the least level", example="<="),
        maybe("after", "", "a time in milliseconds since 1970, or as ISO text", schema=DATE),
        maybe("before", "", "likewise", schema=DATE),
        maybe("limit", "number", "how many at most"),
    ),
)
_SPAN: Final = (
    maybe("after", "", "a time in milliseconds since 1970, or as ISO text", schema=DATE),
    maybe("before", "", "likewise", schema=DATE),
)
_ORDER: Final = (
    maybe("order", "string", "time, value, deviceId, attributeName or type", example="time"),
    maybe("orderDirection", "string", "asc or desc", example="desc"),
    maybe("offset", "number", "how many to leave out at the beginning"),
    maybe("limit", "number", "how many at most"),
)
_EVENTS: Final = maybe(
    "criteria",
    "object",
    "which events: of some devices and attributes, from a time to another, in an order, and how many",
    example={"deviceId": "outside", "limit": 10},
    fields=(
        maybe("deviceId", "", "an id or a list of ids", schema={"type": ["string", "array"]}),
        maybe("attributeName", "", "a name or a list of names", schema={"type": ["string", "array"]}),
        *_SPAN,
        *_ORDER,
    ),
)
_SINGLE: Final = maybe(
    "criteria",
    "object",
    "from a time to another, in an order, and how many",
    fields=(
        *_SPAN,
        maybe("groupByTime", "number", "milliseconds of which the mean is wanted, for numbers", example=60000),
        *_ORDER,
    ),
)
_DEVICE = path("deviceId", "id of the device", "outside")
_ATTRIBUTE = path("attributeName", "name of the attribute", "temperature")
_ANY_TIME: Final = {"type": ["number", "boolean", "string", "array", "date", "object"]}
_BY_NAME: Final = (
    data("deviceId", "string", "id of the device", example="outside"),
    data("attributeName", "string", "name of the attribute", example="temperature"),
)

OPERATIONS: Final = (
    Operation(
        "queryMessages",
        ("GET",),
        "/api/database/messages",
        "List messages, newest first",
        "messages:read",
        "messages",
        query_messages,
        (_MESSAGES,),
        area=AREA,
        result_type="array",
    ),
    Operation(
        "deleteMessages",
        ("DELETE",),
        "/api/database/messages",
        "Delete messages; the answer is how many",
        "messages:write",
        "",
        delete_messages,
        (_MESSAGES,),
        area=AREA,
    ),
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
        at_once=never,
    ),
    Operation(
        "queryMessagesTags",
        ("GET",),
        "/api/database/messages/tags",
        "List the tags of messages",
        "messages:read",
        "tags",
        query_tags,
        (_MESSAGES,),
        area=AREA,
        result_type="array",
    ),
    Operation(
        "queryMessagesCount",
        ("GET",),
        "/api/database/messages/count",
        "Count messages",
        "messages:read",
        "count",
        count_messages,
        (_MESSAGES,),
        area=AREA,
        result_type="number",
    ),
    Operation(
        "queryDeviceAttributeEvents",
        ("GET",),
        "/api/database/device-attributes/",
        "List what attributes were",
        "events:read",
        "events",
        query_events,
        (_EVENTS,),
        area=AREA,
        result_type="array",
        at_once=never,
    ),
    Operation(
        "queryDeviceAttributeEventsCount",
        ("GET",),
        "/api/database/device-attributes/count",
        "Count the events that are kept",
        "events:read",
        "count",
        count_events,
        area=AREA,
        result_type="number",
        at_once=never,
    ),
    Operation(
        "queryDeviceAttributeEventsCounts",
        ("GET",),
        "/api/database/device-attributes/counts",
        "Count the events of each attribute",
        "events:read",
        "counts",
        count_by_attribute,
        area=AREA,
        result_type="array",
        at_once=never,
    ),
    Operation(
        "queryDeviceAttributeEventsDevices",
        ("GET",),
        "/api/database/device-attributes/devices",
        "List the attributes of which events are kept",
        "events:read",
        "devices",
        query_devices,
        area=AREA,
        result_type="array",
        at_once=never,
    ),
    Operation(
        "queryDeviceAttributeEventsInfo",
        ("GET",),
        "/api/database/device-attributes-info",
        "List the attributes of which events are kept, and for how long",
        "events:read",
        "deviceAttributes",
        query_info,
        area=AREA,
        result_type="array",
        at_once=never,
    ),
    Operation(
        "querySingleDeviceAttributeEvents",
        ("GET",),
        "/api/database/device-attributes/{deviceId}/{attributeName}",
        "List what one attribute was, oldest first",
        "events:read",
        "events",
        query_single,
        (_DEVICE, _ATTRIBUTE, _SINGLE),
        area=AREA,
        result_type="array",
        at_once=never,
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
        at_once=never,
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
    Operation(
        "runVacuum",
        ("GET",),
        "/api/database/vacuum",
        "Tidy up the files",
        "database:write",
        "",
        vacuum,
        area=AREA,
    ),
    Operation(
        "checkDatabase",
        ("GET",),
        "/api/database/check",
        "List what is kept of things that are gone",
        "database:write",
        "problems",
        check,
        area=AREA,
        result_type="array",
        at_once=never,
    ),
    Operation(
        "deleteDeviceAttribute",
        ("DELETE",),
        "/api/database/device-attribute/by-id",
        "Forget all that is kept of an attribute",
        "database:write",
        "",
        delete_attribute,
        (data("id", "number", "number of the attribute in what is kept", example=1),),
        area=AREA,
        at_once=never,
    ),
    Operation(
        "updateDeviceAttribute",
        ("PATCH",),
        "/api/database/device-attribute/by-id",
        "Note anew of what type an attribute is",
        "database:write",
        "",
        update_attribute,
        (data("id", "number", "number of the attribute in what is kept", example=1),),
        area=AREA,
        at_once=never,
    ),
)
