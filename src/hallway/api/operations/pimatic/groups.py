"""The operations on groups: list, define, order, and what belongs to them.

It must not know how a request or answer is written.
"""

from __future__ import annotations

from typing import Final

from hallway.api.operations.base import About, Ask, Handler, Hub, Method, Operation, Parameter
from hallway.api.operations.pimatic.coercion import number_of
from hallway.api.operations.pimatic.declaring import check_order, data, kept, maybe, object_in, order_in, path, refusing
from hallway.api.operations.pimatic.forms import group_form
from hallway.errors import InvalidInput
from hallway.home.groups import Member
from hallway.home.values import Attributes

AREA: Final = "groups"
_CHANGES: Final = ("name", "devicesOrder", "rulesOrder", "variablesOrder")


def get_groups(hub: Hub, _ask: Ask) -> object:
    return [group_form(group) for group in hub.home.groups.all()]


def add_group(hub: Hub, ask: Ask) -> object:
    name = object_in(ask.data, "group").get("name")
    if name is None:
        raise InvalidInput("group needs a name")
    with refusing():
        group = hub.home.groups.add({"id": str(ask.data["groupId"]), "name": name}, ask.caller.context)
    return kept(hub, group_form(group))


def update_group(hub: Hub, ask: Ask) -> object:
    given = object_in(ask.data, "group")
    wanted: Attributes = {key: given[key] for key in _CHANGES if given.get(key) is not None}
    for name in wanted:
        check_order(wanted, name)
    with refusing():
        group = hub.home.groups.change(str(ask.data["groupId"]), wanted, ask.caller.context)
    return kept(hub, group_form(group))


def remove_group(hub: Hub, ask: Ask) -> object:
    """Of one that is not there pimatic tells, too, that it went: whoever showed it is to look again."""
    wanted = str(ask.data["groupId"])
    if wanted not in hub.home.groups.ids():
        hub.announcements.announce("groupRemoved", None, "groups:read")
        return []
    with refusing():
        group = hub.home.groups.remove(wanted, ask.caller.context)
    return kept(hub, [group_form(group)])


def order_groups(hub: Hub, ask: Ask) -> object:
    order = order_in(ask.data, "groupOrder")
    hub.home.set_order("group", order, ask.caller.context)
    return kept(hub, order)


def _adds(kind: Member, key: str) -> Handler:
    """Put a member of that kind into a group; devices always go to the end."""

    def add(hub: Hub, ask: Ask) -> object:
        given = ask.data.get("position") if kind != "device" else None
        position = None if given is None else int(number_of("position", given))
        group_id, member = str(ask.data["groupId"]), str(ask.data[key])
        with refusing():
            group = hub.home.groups.add_member(group_id, kind, member, ask.caller.context, position)
        return kept(hub, group_form(group))

    return add


def _removes(kind: Member, key: str) -> Handler:
    def remove(hub: Hub, ask: Ask) -> object:
        group_id, member = str(ask.data["groupId"]), str(ask.data[key])
        with refusing():
            group = hub.home.groups.remove_member(group_id, kind, member, ask.caller.context)
        return kept(hub, group_form(group))

    return remove


def _orders(kind: Member, name: str) -> Handler:
    """pimatic declares these and never could do them: its clients put members in order by changing the group."""

    def order(_hub: Hub, ask: Ask) -> object:
        order_in(ask.data, name)
        group_id = str(ask.data["groupId"])
        raise InvalidInput(f"put the {kind}s of a group in order with PATCH /api/groups/{group_id[:60]}: {kind}sOrder")

    return order


_ID = path("groupId", "id of the group", "lights")


def _of_members(
    kind: Member, key: str, permissions: tuple[str, str], described: Parameter, add_result: str
) -> tuple[Operation, ...]:
    """Add, remove and put in order, for one kind of members. permissions: of membership, and of the order."""
    title = kind.capitalize()
    route = f"/api/groups/{{groupId}}/{kind}s"
    further = () if kind == "device" else (maybe("position", "number", "place among the others, from 0"),)
    order_name = f"{kind}Order"
    order = data(order_name, "array", f"{kind}s of the group in their order; those left out follow")

    def declare(  # noqa: PLR0913, PLR0917 - the columns of the table below
        name: str,
        method: Method,
        path_: str,
        text: str,
        permission: str,
        result: str,
        do: Handler,
        parameters: tuple[Parameter, ...],
    ) -> Operation:
        return Operation(
            name, (method,), path_, text, permission, result, do, parameters,
            area=AREA, about=About("group", ("groupId",)), result_type="object",
        )  # fmt: skip

    one = f"{route}/{{{key}}}"
    member, its_order = permissions
    return (
        declare(f"add{title}ToGroup", "POST", one, f"Put a {kind} into a group, which takes it out of any other",
                member, add_result, _adds(kind, key), (_ID, described, *further)),
        declare(f"remove{title}FromGroup", "DELETE", one, f"Take a {kind} out of a group",
                member, "group", _removes(kind, key), (_ID, described)),
        declare(f"update{title}GroupOrder", "POST", route, f"Refused: {kind}s are put in order with updateGroup",
                its_order, "group", _orders(kind, order_name), (_ID, order)),
    )  # fmt: skip


OPERATIONS: Final = (
    Operation(
        "getGroups",
        ("GET",),
        "/api/groups",
        "List all groups",
        "groups:read",
        "groups",
        get_groups,
        area=AREA,
        result_type="array",
        result_schema={"items": {"group": {"type": "object"}}},
    ),
    Operation(
        "removeGroup",
        ("DELETE",),
        "/api/groups/{groupId}",
        "Remove a group; the answer is a list of what was removed",
        "groups:write",
        "removed",
        remove_group,
        (_ID,),
        area=AREA,
        about=About("group", ("groupId",)),
        result_type="object",
    ),
    Operation(
        "addGroup",
        ("POST",),
        "/api/groups/{groupId}",
        "Add a group",
        "groups:write",
        "group",
        add_group,
        (_ID, data("group", "object", "the group: its name", example={"name": "Lights"})),
        area=AREA,
        about=About("group", ("groupId",)),
        result_type="object",
    ),
    Operation(
        "updateGroup",
        ("PATCH",),
        "/api/groups/{groupId}",
        "Give a group another name, or put its members in order",
        "groups:write",
        "group",
        update_group,
        (
            _ID,
            data(
                "group",
                "object",
                "what is to be different",
                example={"name": "Lights", "devicesOrder": ["bed_light"]},
                fields=(
                    maybe("name", "", "what stands above it"),
                    maybe("devicesOrder", "array", "ids of devices; those left out follow"),
                    maybe("variablesOrder", "array", "names of variables; those left out follow"),
                    maybe("rulesOrder", "array", "ids of rules; those left out follow"),
                ),
            ),
        ),
        area=AREA,
        about=About("group", ("groupId",)),
        result_type="object",
    ),
    *_of_members(
        "device", "deviceId", ("groups:write", "devices:write"), path("deviceId", "id of the device"), "deviceItem"
    ),
    *_of_members("rule", "ruleId", ("rules:write", "rules:write"), path("ruleId", "id of the rule"), "group"),
    *_of_members(
        "variable",
        "variableName",
        ("variables:write", "variables:write"),
        path("variableName", "name of the variable, without $"),
        "group",
    ),
    Operation(
        "updateGroupOrder",
        ("POST",),
        "/api/groups",
        "Say in which order groups are shown",
        "groups:write",
        "groupOrder",
        order_groups,
        (data("groupOrder", "array", "ids of groups; those left out follow"),),
        area=AREA,
        about=About("order", fixed="group"),
        result_type="array",
    ),
)
