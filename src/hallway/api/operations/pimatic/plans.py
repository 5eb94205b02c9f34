"""What is to become of a home: planned as a whole, checked in an empty home, then done while nothing else happens.

What stands in the file is only taken as it is there. It must not know why a home is to be otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

import msgspec

from hallway.access.people import Person, new_stamp
from hallway.access.roles import BUILT_IN, Role
from hallway.api.operations.base import Hub
from hallway.api.operations.pimatic.checking import check_name, check_unit, check_username
from hallway.api.operations.pimatic.configuration import defined_devices, defined_roles, variable_definition
from hallway.clock import VirtualClock
from hallway.errors import Conflict, HallwayError, InvalidInput
from hallway.home.changes import Context, Kind
from hallway.home.classes import class_named
from hallway.home.home import STORE, Home
from hallway.home.rules import LATE
from hallway.home.values import Attributes, Value
from hallway.home.variables import as_value

Entries = Mapping[str, Attributes]
ORDERED: Final[tuple[tuple[str, Kind], ...]] = (
    ("devices", "device"),
    ("variables", "variable"),
    ("rules", "rule"),
    ("pages", "page"),
    ("groups", "group"),
    ("scenes", "scene"),
)
"""The lists that have an order."""


class Difference(msgspec.Struct, frozen=True):
    """What is to be otherwise than the home is: new, changed and missing entries of one list."""

    added: Entries
    changed: Entries
    missing: tuple[str, ...]


SAME: Final = Difference({}, {}, ())


class Screen(Protocol):
    """A page, group or scene."""

    @property
    def config(self) -> Attributes: ...
    @property
    def source(self) -> str: ...


class Screens(Protocol):
    """All pages, groups or scenes."""

    def get(self, key: str, /) -> Screen: ...
    def add(self, config: Attributes, context: Context, /) -> Screen: ...
    def change(self, key: str, config: Attributes, context: Context, /) -> Screen: ...
    def remove(self, key: str, context: Context, /) -> Screen: ...


class Plan(msgspec.Struct, frozen=True):
    """Everything that is to be done, list by list, and the whole lists as they are to be.

    settings: those that are to be otherwise (None: to go); passwords: of whom there will be one beside those who have
    one; orders: of what these have, before all else there is; further: what is to stand in the definition of a person
    beside what makes them one; force: rules that cannot be read are kept as they are.
    """

    wanted: Mapping[str, Entries]
    differences: Mapping[str, Difference]
    settings: Mapping[str, Attributes | None]
    passwords: Mapping[str, str]
    orders: Mapping[Kind, tuple[str, ...]]
    further: Entries = {}
    force: bool = False

    def difference(self, name: str) -> Difference:
        """That of a list."""
        return self.differences.get(name, SAME)


def present(hub: Hub) -> dict[str, Entries]:
    """The lists as they are now."""
    home = hub.home
    return {
        "plugins": hub.kept.all("plugin"),
        "devices": {device_id: device.config for device_id, device in defined_devices(home).items()},
        "rules": {rule.id: rule.config for rule in home.rules.all()},
        "variables": {variable.name: variable_definition(variable) for variable in home.variables},
        "pages": {page.id: page.config for page in home.pages.all()},
        "groups": {group.id: group.config for group in home.groups.all()},
        "scenes": {scene.id: scene.config for scene in home.scenes.all()},
        "users": {p.username: {"username": p.username, "role": p.role} for p in hub.people.users()},
        "roles": {
            role.name: {"name": role.name, "permissions": role.permissions} for role in defined_roles(hub.people)
        },
    }


def difference(wanted: Entries, now: Entries, besides: Mapping[str, object]) -> Difference:
    """What is to be otherwise in a list; besides: entries that are different although they look alike."""
    changed = {key: body for key, body in wanted.items() if key in now and (body != now[key] or key in besides)}
    return Difference(
        {key: body for key, body in wanted.items() if key not in now},
        changed,
        tuple(key for key in now if key not in wanted),
    )


# ---------------------------------------------------------------------- checking


def check(hub: Hub, plan: Plan, *, trial: bool = True) -> None:
    """InvalidInput: it cannot be done, and why. trial: it is more than one thing, which the home checks by itself."""
    _check_people(hub, plan)
    _check_sources(hub, plan)
    if trial:
        _try(hub, plan)


def _check_people(hub: Hub, plan: Plan) -> None:
    """Nobody may get to be without a password or a role, and somebody must be left who can undo this.

    Whoever has no role already is no reason to refuse what has nothing to do with them.
    """
    users, differing = plan.difference("users"), plan.difference("roles")
    if users == SAME and differing == SAME:
        return
    roles = {name: Role.of(name, _permissions(name, body)) for name, body in plan.wanted["roles"].items()}
    there = {role.name for role in hub.people.roles()} - set(differing.missing) | {*roles, *BUILT_IN}
    for name in users.missing:
        if name in hub.people.declared:
            raise InvalidInput(f"users: {name[:60]} stands in configuration.yaml: remove them there and start again")
    for name in differing.added:
        check_name(f"role {name[:60]!r}", name)
    for name in users.added:
        check_username(name)
        if name not in plan.passwords:
            raise InvalidInput(f"user {name[:60]} is new and needs a password")
    for name, user in plan.wanted["users"].items():
        touched = _is_different(users, name) or user["role"] in differing.missing
        if touched and not (isinstance(user["role"], str) and user["role"] in there):
            raise InvalidInput(f"user {name[:60]}: there is no role {str(user['role'])[:60]!r}")
    mighty = {role.name for role in (*hub.people.roles(), *roles.values()) if "config:write" in role.granted}
    mighty -= {name for name, role in roles.items() if "config:write" not in role.granted}
    if hub.people.users() and not any(user["role"] in mighty for user in plan.wanted["users"].values()):
        raise InvalidInput("nobody would be left who may change the configuration: keep a user with config: write")


def _permissions(name: str, body: Attributes) -> Attributes:
    permissions = body.get("permissions")
    if not isinstance(permissions, dict):
        raise InvalidInput(f"role {name[:60]} needs permissions: an object")
    return permissions


def _check_sources(hub: Hub, plan: Plan) -> None:
    """What stands in configuration.yaml is edited there."""
    for name, of_kind in sources(hub.home).items():
        difference = plan.difference(name)
        for key in (*difference.changed, *difference.missing, *difference.added):
            source = of_kind.get(key, STORE)
            values_only = name == "variables" and key in difference.changed and "value" in difference.changed[key]
            if source != STORE and not values_only:
                raise InvalidInput(f"{name}: {key[:60]} is not defined here ({source}): edit it where it stands")


def sources(home: Home) -> dict[str, dict[str, str]]:
    """Where everything stands that may stand in the file, list by list."""
    return {
        "devices": {device.id: device.source for device in home.devices.values()},
        "rules": {rule.id: rule.source for rule in home.rules.all()},
        "variables": {variable.name: variable.source for variable in home.variables},
        "pages": {page.id: page.source for page in home.pages.all()},
        "groups": {group.id: group.source for group in home.groups.all()},
        "scenes": {scene.id: scene.source for scene in home.scenes.all()},
    }


def _try(hub: Hub, plan: Plan) -> None:
    """Put all of it into an empty home: whatever is new or different must work there."""
    language, time_zone = hub.home.variables.language, hub.home.time_zone()
    trial = Home(VirtualClock(hub.home.now()), language=language, time_zone=time_zone)
    trial.trial = True
    _try_devices(trial, plan)
    _try_variables(trial, plan)
    trial.bind_formulas()
    trial.rules.language = hub.home.rules.language
    keeping: tuple[tuple[str, Callable[[Attributes], object]], ...] = (
        ("rules", lambda body: trial.rules.add(body, force=plan.force)),
        ("pages", trial.pages.add),
        ("groups", trial.groups.add),
        ("scenes", trial.scenes.add),
    )
    for name, keep in keeping:
        for key, body in plan.wanted.get(name, {}).items():
            try:
                keep(body)
            except HallwayError as error:
                if _is_different(plan.difference(name), key):
                    raise InvalidInput(f"{name}: {key[:60]}: {error.message}") from None


def _is_different(difference: Difference, key: str) -> bool:
    return key in difference.added or key in difference.changed


def _try_devices(trial: Home, plan: Plan) -> None:
    for key, config in plan.wanted["devices"].items():
        try:
            if class_named(config.get("class")).built_in:
                raise InvalidInput("its class is the hub's own")
            trial.add_device(config, STORE)
        except HallwayError as error:
            if _is_different(plan.difference("devices"), key):
                raise InvalidInput(f"devices: {key[:60]}: {error.message}") from None


def _try_variables(trial: Home, plan: Plan) -> None:
    different: list[Attributes] = []
    same: list[Attributes] = []
    for key, config in plan.wanted["variables"].items():
        (different if _is_different(plan.difference("variables"), key) else same).append(config)
    for config in different:
        check_unit(str(config["name"]), config.get("unit"))
        if ("value" in config) == (config.get("expression") is not None):
            raise InvalidInput(f"variables: {str(config['name'])[:60]} needs either value or expression")
    trial.keep_variables(tuple(same))
    try:
        trial.add_variables(tuple(different))
    except (InvalidInput, Conflict) as error:
        raise InvalidInput(f"variables: {error.message}") from None


# ---------------------------------------------------------------------- doing


def apply(hub: Hub, plan: Plan, hashes: Mapping[str, str], context: Context) -> None:
    """Everything that a checked plan says, while nothing else happens: one act. hashes: of the new passwords."""
    with hub.home.announcer.act():
        _apply_people(hub, plan, hashes, context)
        _apply_kept(hub, plan, context)
        _leave_screens(hub.home, plan, context)
        for rule_id in plan.difference("rules").missing:  # before what they name: it need not be asked for each of that
            hub.home.rules.remove(rule_id, context)
        _apply_devices(hub.home, plan.difference("devices"), context)
        _apply_variables(hub.home, plan.difference("variables"), context)
        _apply_rules(hub.home, plan, context)
        _apply_screens(hub.home, plan, context)
        for kind, order in plan.orders.items():
            _order(hub.home, kind, order, context)


def _apply_people(hub: Hub, plan: Plan, hashes: Mapping[str, str], context: Context) -> None:
    """Who lives here hears of it as everybody does: roles come before those who have them, and go after them."""
    tell = hub.home.announcer.tell
    roles, users = plan.difference("roles"), plan.difference("users")
    for name, body in {**roles.added, **roles.changed}.items():
        tell(
            ("role", name), (_role_body(hub, name), {"name": name, "permissions": body["permissions"]}), context, STORE
        )
    for name, body in {**users.added, **users.changed}.items():
        before = hub.people.user(name)
        kept_hash = hashes.get(name) or (before.hash if before is not None else "")
        kept = Person(name, str(body["role"]), kept_hash, new_stamp()).kept() | plan.further.get(name, {})
        tell(("user", name), (None if before is None else before.kept(), kept), context, STORE)
    for name in users.missing:
        gone = hub.people.user(name)
        tell(("user", name), (gone.kept() if gone is not None else {}, None), context, STORE)
    for name in roles.missing:
        tell(("role", name), (_role_body(hub, name) or {}, None), context, STORE)


def _role_body(hub: Hub, name: str) -> Attributes | None:
    known = hub.people.role(name)
    return None if known is None else {"name": name, "permissions": known.permissions}


def _apply_kept(hub: Hub, plan: Plan, context: Context) -> None:
    plugins = plan.difference("plugins")
    for name in plugins.missing:
        hub.kept.remove("plugin", name, context)
    for name, body in {**plugins.added, **plugins.changed}.items():
        hub.kept.put("plugin", name, body, context)
    for name, setting in plan.settings.items():
        if setting is None:
            hub.kept.remove("setting", name, context)
        else:
            hub.kept.put("setting", name, setting, context)


def _leave_screens(home: Home, plan: Plan, context: Context) -> None:
    """What goes leaves each page and group in one edit: one by one, the versions before would be forgotten."""
    going = {f"{kind}s": set(plan.difference(f"{kind}s").missing) for kind in ("device", "rule", "variable")}
    screens: tuple[tuple[Screens, Iterable[Screen]], ...] = (
        (home.pages, home.pages.all()),
        (home.groups, home.groups.all()),
    )
    for of_kind, all_of_kind in screens:
        for screen in all_of_kind:
            config = screen.config
            left = {field: _without(config[field], ids) for field, ids in going.items() if ids and field in config}
            if screen.source == STORE and any(config[field] != members for field, members in left.items()):
                of_kind.change(str(config["id"]), left, context)


def _without(members: Value, going: set[str]) -> Value:
    """The members of a page or group without those that go; where they are wanted all the same, they come back."""
    if not isinstance(members, list):
        return members
    return [item for item in members if (item.get("deviceId") if isinstance(item, dict) else item) not in going]


def _apply_devices(home: Home, difference: Difference, context: Context) -> None:
    for device_id in difference.missing:
        home.remove_device(device_id, context)
    for config in difference.changed.values():
        home.change_device(config, context)
    for config in difference.added.values():
        home.add_device(config, STORE, context)


def _apply_variables(home: Home, difference: Difference, context: Context) -> None:
    """What is computed otherwise from now on is computed by nothing in between, so that no circle can appear."""
    for name in difference.missing:
        home.remove_variable(name, context)
    computed = [config for config in difference.changed.values() if config.get("expression") is not None]
    alone = len(difference.changed) + len(difference.added) == 1
    for config in difference.changed.values():
        known = home.variables.get(str(config["name"]))
        if config.get("expression") is None:
            home.change_variable({**config, "value": as_value(config.get("value"))}, context)
        elif known.formula is not None and not alone:
            home.change_variable({"name": known.name, "value": known.value, "unit": known.unit}, context)
    if difference.added:
        home.add_variables(tuple(difference.added.values()), context)
    for config in computed:
        home.change_variable(config, context)


def _apply_rules(home: Home, plan: Plan, context: Context) -> None:
    difference = plan.difference("rules")
    for rule_id, config in difference.changed.items():
        # what is not said of a rule is as if nobody had ever chosen it
        home.rules.change(rule_id, {"again": "ignore", "late": LATE, **config}, context, force=plan.force)
    for config in difference.added.values():
        home.rules.add(config, context, force=plan.force)


def _apply_screens(home: Home, plan: Plan, context: Context) -> None:
    """Pages, groups and scenes as they are wanted; devices that went before took themselves off them."""
    screens: tuple[tuple[str, Screens], ...] = (("pages", home.pages), ("groups", home.groups), ("scenes", home.scenes))
    for name, screen in screens:
        for key in plan.difference(name).missing:
            screen.remove(key, context)
    for name, screen in screens:
        for config in plan.difference(name).added.values():
            screen.add(config, context)
    for name, screen in screens:
        for key, config in plan.wanted.get(name, {}).items():
            if screen.get(key).config != config:
                screen.change(key, _whole(name, config), context)


def _whole(name: str, config: Attributes) -> Attributes:
    """What is not said of a page is as if nobody had ever chosen it."""
    return {"allowedRoles": None, **config} if name == "pages" else config


def _order(home: Home, kind: Kind, order: tuple[str, ...], context: Context) -> None:
    known = set(order)
    if tuple(key for key in home.order(kind) if key in known) != order:
        home.set_order(kind, order, context)
