"""The operations on pages: list, define, order, and what stands on them.

It must not know how a request or answer is written.
"""

from __future__ import annotations

from typing import Final

from hallway.access.callers import Caller
from hallway.api.operations.base import About, Ask, Hub, Operation, Parameter
from hallway.api.operations.pimatic.declaring import check_order, data, kept, maybe, object_in, order_in, path, refusing
from hallway.api.operations.pimatic.forms import page_form
from hallway.errors import InvalidInput
from hallway.home.pages import Page
from hallway.home.values import Attributes

AREA: Final = "pages"


def get_pages(hub: Hub, ask: Ask) -> object:
    return [page_form(page) for page in hub.home.pages.all() if is_for(page, ask.caller)]


def get_page(hub: Hub, ask: Ask) -> object:
    wanted = str(ask.data["pageId"])
    page = hub.home.pages.get(wanted) if wanted in hub.home.pages.ids() else None
    return page_form(page) if page is not None and is_for(page, ask.caller) else None


def is_for(page: Page, caller: Caller) -> bool:
    """Whether they may see it."""
    return page.allowed_roles is None or caller.role in page.allowed_roles


def add_page(hub: Hub, ask: Ask) -> object:
    given = object_in(ask.data, "page")
    if given.get("name") is None:
        raise InvalidInput("page needs a name")
    wanted: Attributes = {key: given[key] for key in ("name", "allowedRoles") if key in given}
    with refusing():
        page = hub.home.pages.add({**wanted, "id": str(ask.data["pageId"])}, ask.caller.context)
    return kept(hub, page_form(page))


def update_page(hub: Hub, ask: Ask) -> object:
    given = object_in(ask.data, "page")
    wanted: Attributes = {key: given[key] for key in ("name", "devicesOrder") if given.get(key) is not None}
    if "allowedRoles" in given:
        wanted["allowedRoles"] = given["allowedRoles"]
    check_order(wanted, "devicesOrder")
    with refusing():
        page = hub.home.pages.change(str(ask.data["pageId"]), wanted, ask.caller.context)
    return kept(hub, page_form(page))


def remove_page(hub: Hub, ask: Ask) -> object:
    """Of one that is not there pimatic tells, too, that it went: whoever showed it is to look again."""
    wanted = str(ask.data["pageId"])
    if wanted not in hub.home.pages.ids():
        hub.announcements.announce("pageRemoved", None, "pages:read")
        return []
    with refusing():
        page = hub.home.pages.remove(wanted, ask.caller.context)
    return kept(hub, [page_form(page)])


def add_device(hub: Hub, ask: Ask) -> object:
    with refusing():
        page = hub.home.pages.add_device(str(ask.data["pageId"]), str(ask.data["deviceId"]), ask.caller.context)
    return kept(hub, page_form(page))


def remove_device(hub: Hub, ask: Ask) -> object:
    with refusing():
        page = hub.home.pages.remove_device(str(ask.data["pageId"]), str(ask.data["deviceId"]), ask.caller.context)
    return kept(hub, page_form(page))


def order_pages(hub: Hub, ask: Ask) -> object:
    order = order_in(ask.data, "pageOrder")
    hub.home.set_order("page", order, ask.caller.context)
    return kept(hub, order)


_ITEM: Final = {
    "type": "object",
    "properties": {"deviceId": {"description": "id of the device", "type": "string"}},
}
_PAGE: Final = {
    "type": "object",
    "properties": {
        "id": {"description": "Unique id", "type": "string"},
        "name": {"description": "What stands above it", "type": "string"},
        "devices": {"description": "What is on it", "type": "array", "items": {"deviceItem": _ITEM}},
    },
}
_DESCRIBED_PAGE: Final = {**_PAGE, "description": "The page"}
_ID = path("pageId", "id of the page", "upstairs")
_DEVICE = path("deviceId", "id of the device", "bed_light")

_ROLES: Final = Parameter(
    "allowedRoles", "data", "roles whose people see it; null or left out: everybody's", "array", beyond=True
)

OPERATIONS: Final = (
    Operation(
        "getPages",
        ("GET",),
        "/api/pages",
        "List all pages",
        "pages:read",
        "pages",
        get_pages,
        area=AREA,
        result_type="array",
        result_schema={"items": {"page": _PAGE}},
    ),
    Operation(
        "getPageById",
        ("GET",),
        "/api/pages/{pageId}",
        "Tell everything about one page",
        "pages:read",
        "page",
        get_page,
        (_ID,),
        area=AREA,
        about=About("page", ("pageId",)),
        result_type="object",
        result_schema=_DESCRIBED_PAGE,
    ),
    Operation(
        "removePage",
        ("DELETE",),
        "/api/pages/{pageId}",
        "Remove a page; the answer is a list of what was removed",
        "pages:write",
        "removed",
        remove_page,
        (_ID,),
        area=AREA,
        about=About("page", ("pageId",)),
        result_type="object",
        result_schema=_DESCRIBED_PAGE,
    ),
    Operation(
        "addPage",
        ("POST",),
        "/api/pages/{pageId}",
        "Add a page",
        "pages:write",
        "page",
        add_page,
        (
            _ID,
            data(
                "page",
                "object",
                "the page",
                example={"name": "Upstairs"},
                fields=(data("name", "string", "what stands above it"), _ROLES),
            ),
        ),
        area=AREA,
        about=About("page", ("pageId",)),
        result_type="object",
        result_schema=_DESCRIBED_PAGE,
    ),
    Operation(
        "updatePage",
        ("PATCH",),
        "/api/pages/{pageId}",
        "Give a page another name, or put its devices in order",
        "pages:write",
        "page",
        update_page,
        (
            _ID,
            data(
                "page",
                "object",
                "what is to be different",
                example={"name": "Upstairs", "devicesOrder": ["bed_light"]},
                fields=(
                    maybe("name", "string", "what stands above it"),
                    maybe(
                        "devicesOrder",
                        "array",
                        "ids of devices; those left out follow",
                        schema={"items": {"deviceId": {"type": "string"}}},
                    ),
                    _ROLES,
                ),
            ),
        ),
        area=AREA,
        about=About("page", ("pageId",)),
        result_type="object",
        result_schema=_DESCRIBED_PAGE,
    ),
    Operation(
        "addDeviceToPage",
        ("POST",),
        "/api/pages/{pageId}/devices/{deviceId}",
        "Put a device on a page",
        "pages:write",
        "page",
        add_device,
        (_ID, _DEVICE),
        area=AREA,
        about=About("page", ("pageId",)),
        result_type="object",
    ),
    Operation(
        "removeDeviceFromPage",
        ("DELETE",),
        "/api/pages/{pageId}/devices/{deviceId}",
        "Take a device off a page",
        "pages:write",
        "page",
        remove_device,
        (_ID, _DEVICE),
        area=AREA,
        about=About("page", ("pageId",)),
        result_type="object",
    ),
    Operation(
        "updatePageOrder",
        ("POST",),
        "/api/pages",
        "Say in which order pages are shown",
        "pages:write",
        "pageOrder",
        order_pages,
        (data("pageOrder", "array", "ids of pages; those left out follow"),),
        area=AREA,
        about=About("order", fixed="page"),
        result_type="array",
    ),
)
