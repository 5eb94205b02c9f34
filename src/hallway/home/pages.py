"""Pages: what people put on a screen: devices in an order of their own, and who may see it.

A page names its devices by their ids. It must not know how a page is drawn, nor who is looking.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from hallway.errors import Conflict, InvalidConfiguration, NotFound
from hallway.home.announcing import FILE, START, STORE, Announcer, check_definition, check_editable
from hallway.home.changes import Context
from hallway.home.ids import check_id
from hallway.home.orders import arranged, rearrange
from hallway.home.values import Attributes, Value, is_label


class Page(msgspec.Struct, frozen=True):
    """A page. devices: objects with `deviceId`; allowed_roles: None when everybody may see it."""

    id: str
    name: Value
    devices: tuple[Attributes, ...] = ()
    allowed_roles: tuple[str, ...] | None = None
    source: str = STORE

    @property
    def config(self) -> Attributes:
        """Its definition."""
        config: Attributes = {"id": self.id, "name": self.name, "devices": list[Value](self.devices)}
        if self.allowed_roles is not None:
            config["allowedRoles"] = list[Value](self.allowed_roles)
        return config


def page_of(config: Attributes, source: str = STORE) -> Page:
    """A page from its definition; InvalidConfiguration names what is wrong."""
    page_id = check_id("page", config.get("id"))
    check_definition(config)
    name = config.get("name")
    if name is not None and not is_label(name):
        raise InvalidConfiguration(f"page {page_id}: name must be a text")
    devices = config.get("devices") or []
    if not isinstance(devices, list):
        raise InvalidConfiguration(f"page {page_id}: devices must be a list of objects with deviceId")
    roles = config.get("allowedRoles")
    if roles is not None and not (isinstance(roles, list) and all(isinstance(role, str) for role in roles)):
        raise InvalidConfiguration(f"page {page_id}: allowedRoles must be a list of names")
    return Page(
        page_id,
        page_id if name is None else name,
        tuple(_page_device(page_id, item) for item in devices),
        None if roles is None else tuple(str(role) for role in roles),
        source,
    )


def _page_device(page_id: str, item: Value) -> Attributes:
    if isinstance(item, str):
        return {"deviceId": item}
    if isinstance(item, dict) and isinstance(item.get("deviceId"), str):
        return item
    raise InvalidConfiguration(f"page {page_id}: each of its devices must be an object with deviceId")


class Pages:
    """All pages of a home, in order."""

    def __init__(self, announcer: Announcer) -> None:
        self._announcer = announcer
        self._all: dict[str, Page] = {}

    def all(self) -> list[Page]:
        return list(self._all.values())

    def ids(self) -> Collection[str]:
        return self._all.keys()

    def arrange(self, order: tuple[str, ...]) -> None:
        """Put them into that order."""
        rearrange(self._all, order)

    def get(self, page_id: str) -> Page:
        """The page; NotFound otherwise."""
        try:
            return self._all[page_id]
        except KeyError:
            raise NotFound(f"there is no page {page_id[:60]}") from None

    def add(self, config: Attributes, context: Context = START, source: str = STORE) -> Page:
        """Take a page into the home. InvalidConfiguration: it cannot be; Conflict: its id is taken."""
        page = page_of(config, source)
        if page.id in self._all:
            raise Conflict(f"there is a page {page.id} already")
        self._all[page.id] = page
        self._announcer.tell(("page", page.id), (None, page.config), context, source)
        return page

    def change(self, page_id: str, config: Attributes, context: Context) -> Page:
        """Change what the config names: name, devices, allowedRoles; devicesOrder puts the devices in order."""
        page = self._editable(page_id)
        given: Attributes = {key: config[key] for key in ("name", "devices", "allowedRoles") if key in config}
        changed = page_of({**page.config, **given, "id": page_id})
        order = config.get("devicesOrder")
        if isinstance(order, list):
            by_id = {str(device["deviceId"]): device for device in changed.devices}
            ordered = tuple(by_id[key] for key in arranged(by_id, [str(item) for item in order]))
            changed = msgspec.structs.replace(changed, devices=ordered)
        return self._put(page, changed, context)

    def remove(self, page_id: str, context: Context) -> Page:
        """Take a page out of the home. NotFound: there is none."""
        page = self._editable(page_id)
        del self._all[page_id]
        self._announcer.tell_removed(("page", page_id), page, page.config, context, page.source)
        return page

    def add_device(self, page_id: str, device_id: str, context: Context) -> Page:
        """Put a device at the end of a page, which has it once."""
        page = self._editable(page_id)
        others = tuple(device for device in page.devices if device["deviceId"] != device_id)
        changed = msgspec.structs.replace(page, devices=(*others, {"deviceId": device_id}))
        check_definition(changed.config)
        return self._put(page, changed, context)

    def remove_device(self, page_id: str, device_id: str, context: Context) -> Page:
        """Take a device off a page. NotFound: it is not there."""
        page = self._editable(page_id)
        others = tuple(device for device in page.devices if device["deviceId"] != device_id)
        if len(others) == len(page.devices):
            raise NotFound(f"there is no device {device_id[:60]} on the page {page_id}")
        return self._put(page, msgspec.structs.replace(page, devices=others), context)

    def forget_device(self, device_id: str, context: Context) -> None:
        """The device is going: take it off all pages. Those of the file stay as they are written."""
        for page in self.all():
            if page.source != FILE and any(device["deviceId"] == device_id for device in page.devices):
                self.remove_device(page.id, device_id, context)

    def _editable(self, page_id: str) -> Page:
        page = self.get(page_id)
        check_editable(f"page {page_id}", page.source)
        return page

    def _put(self, old: Page, page: Page, context: Context) -> Page:
        self._all[page.id] = page
        self._announcer.tell(("page", page.id), (old.config, page.config), context, page.source)
        return page
