"""The operations on what attributes were, and on the files in which it is kept.

It must not know how a request or answer is written.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, cast

from hallway.api.operations.base import Ask, Hub, Operation, never
from hallway.api.operations.pimatic.attribute_times import attribute_named, find_attribute, logging_time
from hallway.api.operations.pimatic.coercion import number_of
from hallway.api.operations.pimatic.declaring import DATE, data, maybe, path
from hallway.api.operations.pimatic.forms import milliseconds
from hallway.api.operations.pimatic.history import MOST_EVENTS, Column, Event, KnownAttribute, Wanted
from hallway.api.operations.pimatic.message_criteria import check_known, count_in, texts_in, time_in
from hallway.errors import Forbidden, InvalidInput
from hallway.home.values import Attributes, Value

AREA: Final = "database"
COLUMNS: Final = ("time", "value", "deviceId", "attributeName", "type")
_KNOWN: Final = (
    "deviceId",
    "attributeName",
    "after",
    "before",
    "groupByTime",
    "order",
    "orderDirection",
    "offset",
    "limit",
)


# ---------------------------------------------------------------------- events


def _of_devices(
    handler: Callable[[Hub, Ask], Awaitable[object]],
) -> Callable[[Hub, Ask], Awaitable[object]]:
    """What attributes were is for those who may read what they are. Forbidden: the caller may not."""

    def asked(hub: Hub, ask: Ask) -> Awaitable[object]:
        if not ask.caller.may("devices:read"):
            raise Forbidden(f"what devices were needs the permission devices:read too, which {ask.caller.name} lacks")
        return handler(hub, ask)

    return asked


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
    attribute_named(hub, device_id, name)
    wanted = _wanted(_criteria(ask), frozenset({device_id}), frozenset({name}), descending=False)
    return [_event_form(event) for event in await hub.history.events(wanted)]


def _criteria(ask: Ask) -> Attributes:
    given = ask.data.get("criteria")
    if not isinstance(given, dict):
        return {}
    check_known(given, _KNOWN)
    return given


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
        attribute = find_attribute(hub, known.device_id, known.name)
        if attribute is not None:
            time = logging_time(hub, known.device_id, attribute)
            more: Attributes = {"discrete": known.discrete, "interval": time.interval, "expire": time.expire}
            found.append(_known_form(known) | more)
    return found


def _known_form(known: KnownAttribute) -> Attributes:
    return {"id": known.id, "deviceId": known.device_id, "attributeName": known.name, "type": known.type}


# ---------------------------------------------------------------------- maintenance


async def vacuum(hub: Hub, _ask: Ask) -> list[Value]:
    """Room that is not in use any more goes back to the disk. home.db needs none: it is packed as it is written."""
    await hub.history.tidy()
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
        if find_attribute(hub, known.device_id, known.name) is None
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
            attribute_named(hub, known.device_id, known.name)


def _number(ask: Ask) -> int:
    return int(number_of("id", ask.data["id"]))


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
OPERATIONS: Final = (
    Operation(
        "queryDeviceAttributeEvents",
        ("GET",),
        "/api/database/device-attributes/",
        "List what attributes were",
        "events:read",
        "events",
        _of_devices(query_events),
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
        _of_devices(count_events),
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
        _of_devices(count_by_attribute),
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
        _of_devices(query_devices),
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
        _of_devices(query_info),
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
        _of_devices(query_single),
        (_DEVICE, _ATTRIBUTE, _SINGLE),
        area=AREA,
        result_type="array",
        at_once=never,
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
        at_once=never,
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
