"""A whole configuration at once: everything in it is checked, then the home is made like it, or left as it is.

What stands in the file is only taken as it is there. It must not know how a configuration was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from hallway.access.people import Person, hashed, new_stamp
from hallway.access.roles import Role
from hallway.api.operations.base import Hub
from hallway.api.operations.pimatic.blanking import BLANK, unblanked
from hallway.api.operations.pimatic.checking import check_name, check_settings, check_unit, check_username
from hallway.api.operations.pimatic.configuration import (
    defined_devices,
    defined_roles,
    settings_of,
    variable_definition,
)
from hallway.api.operations.pimatic.kept import AUTHENTICATION, PIMATIC
from hallway.clock import VirtualClock
from hallway.errors import Conflict, HallwayError, InvalidInput
from hallway.home.announcing import check_definition, check_storable
from hallway.home.changes import Context, Kind
from hallway.home.classes import class_named
from hallway.home.home import STORE, Home
from hallway.home.rules import LATE
from hallway.home.values import Attributes, kind_of
from hallway.home.variables import as_value

Entries = Mapping[str, Attributes]
LISTS: Final = (
    ("plugins", "plugin"),
    ("devices", "id"),
    ("rules", "id"),
    ("variables", "name"),
    ("pages", "id"),
    ("groups", "id"),
    ("users", "username"),
    ("roles", "name"),
)
"""The lists of a configuration, and the property that names an entry."""
ORDERED: Final[tuple[tuple[str, Kind], ...]] = (
    ("devices", "device"),
    ("variables", "variable"),
    ("rules", "rule"),
    ("pages", "page"),
    ("groups", "group"),
)
MOST_ENTRIES: Final = 100_000


class Difference(msgspec.Struct, frozen=True):
    """What a configuration has otherwise than the home: new, changed and missing entries of one list."""

    added: Entries
    changed: Entries
    missing: tuple[str, ...]


class Plan(msgspec.Struct, frozen=True):
    """Everything that is to be done, list by list, and the whole lists in their order."""

    wanted: Mapping[str, Entries]
    differences: Mapping[str, Difference]
    settings: Attributes | None
    passwords: Mapping[str, str]


# ---------------------------------------------------------------------- reading


def planned(hub: Hub, config: Attributes) -> Plan:
    """What it takes to make the home like that. InvalidInput: it cannot be, and why; nothing has happened."""
    wanted = {name: _entries(config, name, key) for name, key in LISTS}
    settings = config.get("settings")
    if settings is not None and not isinstance(settings, dict):
        raise InvalidInput(f"settings must be an object, not {kind_of(settings)}")
    now = _present(hub)
    passwords = _passwords(wanted["users"])
    wanted["users"] = {name: _without_password(user) for name, user in wanted["users"].items()}
    for name in ("plugins", "devices"):
        wanted[name] = {key: unblanked(body, now[name].get(key, {})) for key, body in wanted[name].items()}
    if settings is not None and settings != (known := settings_of(hub)):
        check_settings(settings, known)
    check_storable(wanted)
    differences = {name: _difference(wanted[name], now[name], passwords if name == "users" else {}) for name in wanted}
    for body in (*wanted["plugins"].values(), settings):
        check_definition(body)
    plan = Plan(wanted, differences, settings, passwords)
    _check_people(hub, plan)
    _check_sources(hub, differences)
    _try(hub, plan)
    return plan


def _entries(config: Attributes, name: str, key: str) -> dict[str, Attributes]:
    given = config.get(name)
    if not isinstance(given, list) or len(given) > MOST_ENTRIES:
        raise InvalidInput(f"config needs {name}: a list of at most {MOST_ENTRIES} objects")
    found: dict[str, Attributes] = {}
    for number, entry in enumerate(given, 1):
        if not isinstance(entry, dict) or not isinstance(entry.get(key), str) or not entry[key]:
            raise InvalidInput(f"{name}, entry {number}: it must be an object with {key}, a text")
        named = str(entry[key])
        if named in found:
            raise InvalidInput(f"{name}, entry {number}: {key} {named[:60]} stands there twice")
        found[named] = entry
    return found


def _present(hub: Hub) -> dict[str, Entries]:
    home = hub.home
    return {
        "plugins": hub.kept.all("plugin"),
        "devices": {device_id: device.config for device_id, device in defined_devices(home).items()},
        "rules": {rule.id: rule.config for rule in home.rules.all()},
        "variables": {variable.name: variable_definition(variable) for variable in home.variables},
        "pages": {page.id: page.config for page in home.pages.all()},
        "groups": {group.id: group.config for group in home.groups.all()},
        "users": {p.username: {"username": p.username, "role": p.role} for p in hub.people.users()},
        "roles": {
            role.name: {"name": role.name, "permissions": role.permissions} for role in defined_roles(hub.people)
        },
    }


def _difference(wanted: Entries, now: Entries, besides: Mapping[str, object]) -> Difference:
    """besides: entries that are different although they look alike."""
    changed = {key: body for key, body in wanted.items() if key in now and (body != now[key] or key in besides)}
    return Difference(
        {key: body for key, body in wanted.items() if key not in now},
        changed,
        tuple(key for key in now if key not in wanted),
    )


# ---------------------------------------------------------------------- people


def _passwords(users: Entries) -> dict[str, str]:
    """The passwords that are really there."""
    given = {name: user.get("password") for name, user in users.items()}
    for name, password in given.items():
        if password is not None and not isinstance(password, str):
            raise InvalidInput(f"user {name[:60]}: password must be a text")
    return {name: str(password) for name, password in given.items() if password not in (None, "", BLANK)}


def _without_password(user: Attributes) -> Attributes:
    return {"username": user["username"], "role": user.get("role", "")}


def _check_people(hub: Hub, plan: Plan) -> None:
    """Nobody may be without a password or a role, and somebody must be left who can undo this."""
    roles = {name: Role.of(name, _permissions(name, body)) for name, body in plan.wanted["roles"].items()}
    for name in plan.differences["users"].missing:
        if name in hub.people.declared:
            raise InvalidInput(f"users: {name[:60]} stands in configuration.yaml: remove them there and start again")
    for name in plan.differences["roles"].added:
        check_name(f"role {name[:60]!r}", name)
    for name in plan.differences["users"].added:
        check_username(name)
        if name not in plan.passwords:
            raise InvalidInput(f"user {name[:60]} is new and needs a password")
    for name, user in plan.wanted["users"].items():
        if not isinstance(user["role"], str) or (user["role"] not in roles and hub.people.role(user["role"]) is None):
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


# ---------------------------------------------------------------------- trying


def _check_sources(hub: Hub, differences: Mapping[str, Difference]) -> None:
    """What stands in configuration.yaml is edited there."""
    home = hub.home
    sources = {
        "devices": {device.id: device.source for device in home.devices.values()},
        "rules": {rule.id: rule.source for rule in home.rules.all()},
        "variables": {variable.name: variable.source for variable in home.variables},
        "pages": {page.id: page.source for page in home.pages.all()},
        "groups": {group.id: group.source for group in home.groups.all()},
    }
    for name, of_kind in sources.items():
        difference = differences[name]
        for key in (*difference.changed, *difference.missing, *difference.added):
            source = of_kind.get(key, STORE)
            values_only = name == "variables" and key in difference.changed and "value" in difference.changed[key]
            if source != STORE and not values_only:
                raise InvalidInput(f"{name}: {key[:60]} is not defined here ({source}): edit it where it stands")


def _try(hub: Hub, plan: Plan) -> None:
    """Put all of it into an empty home: whatever is new or different must work there."""
    language, time_zone = hub.home.variables.language, hub.home.time_zone()
    trial = Home(VirtualClock(hub.home.now()), language=language, time_zone=time_zone)
    trial.trial = True
    _try_devices(trial, plan)
    _try_variables(trial, plan)
    trial.bind_formulas()
    trial.rules.language = hub.home.rules.language
    for name, keep in (("rules", trial.rules.add), ("pages", trial.pages.add), ("groups", trial.groups.add)):
        for key, body in plan.wanted[name].items():
            try:
                keep(body)
            except HallwayError as error:
                if _is_different(plan.differences[name], key):
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
            if _is_different(plan.differences["devices"], key):
                raise InvalidInput(f"devices: {key[:60]}: {error.message}") from None


def _try_variables(trial: Home, plan: Plan) -> None:
    configs = tuple(plan.wanted["variables"].values())
    for config in configs:
        check_unit(str(config["name"]), config.get("unit"))
        if ("value" in config) == (config.get("expression") is not None):
            raise InvalidInput(f"variables: {str(config['name'])[:60]} needs either value or expression")
    try:
        trial.add_variables(configs)
    except (InvalidInput, Conflict) as error:
        raise InvalidInput(f"variables: {error.message}") from None


# ---------------------------------------------------------------------- doing


async def make_like(hub: Hub, config: Attributes, context: Context) -> None:
    """Make the home like that configuration. InvalidInput: it cannot be, and why; nothing has happened."""
    plan = planned(hub, config)
    if plan.passwords:
        hashes = await _hashes(plan)
        # hashing takes time in which others edit: the plan is made anew, and done before anybody can do something else
        _apply(hub, planned(hub, config), hashes, context)
    else:
        _apply(hub, plan, {}, context)


async def _hashes(plan: Plan) -> dict[str, str]:
    """The hashes of new passwords."""
    return {name: (await hashed(Person(name, ""), password)).hash for name, password in plan.passwords.items()}


def _apply(hub: Hub, plan: Plan, hashes: Mapping[str, str], context: Context) -> None:
    """Everything that the plan says, while nothing else happens."""
    _apply_people(hub, plan, hashes, context)
    _apply_kept(hub, plan, context)
    _apply_devices(hub.home, plan.differences["devices"], context)
    _apply_variables(hub.home, plan.differences["variables"], context)
    _apply_rules(hub.home, plan.differences["rules"], context)
    _apply_screens(hub.home, plan, context)
    for name, kind in ORDERED:
        _order(hub.home, kind, plan.wanted[name], context)


def _apply_people(hub: Hub, plan: Plan, hashes: Mapping[str, str], context: Context) -> None:
    """Who lives here hears of it as everybody does: roles come before those who have them, and go after them."""
    tell = hub.home.announcer.tell
    roles, users = plan.differences["roles"], plan.differences["users"]
    for name, body in {**roles.added, **roles.changed}.items():
        tell(
            ("role", name), (_role_body(hub, name), {"name": name, "permissions": body["permissions"]}), context, STORE
        )
    for name, body in {**users.added, **users.changed}.items():
        before = hub.people.user(name)
        kept_hash = hashes.get(name) or (before.hash if before is not None else "")
        person = Person(name, str(body["role"]), kept_hash, new_stamp())
        tell(("user", name), (None if before is None else before.kept(), person.kept()), context, STORE)
    for name in users.missing:
        gone = hub.people.user(name)
        tell(("user", name), (gone.kept() if gone is not None else {}, None), context, STORE)
    for name in roles.missing:
        tell(("role", name), (_role_body(hub, name) or {}, None), context, STORE)


def _role_body(hub: Hub, name: str) -> Attributes | None:
    known = hub.people.role(name)
    return None if known is None else {"name": name, "permissions": known.permissions}


def _apply_kept(hub: Hub, plan: Plan, context: Context) -> None:
    plugins = plan.differences["plugins"]
    for name in plugins.missing:
        hub.kept.remove("plugin", name, context)
    for name, body in {**plugins.added, **plugins.changed}.items():
        hub.kept.put("plugin", name, body, context)
    if plan.settings is None or plan.settings == settings_of(hub):
        return
    settings = dict(plan.settings)
    login = settings.pop("authentication", None)
    whole = unblanked(settings, hub.kept.setting(PIMATIC))
    if whole != hub.kept.setting(PIMATIC):
        hub.kept.put("setting", PIMATIC, whole, context)
    if isinstance(login, dict):
        wanted: Attributes = {name: login[name] for name in ("enabled", "loginTime") if name in login}
        if wanted != hub.kept.setting(AUTHENTICATION):
            hub.kept.put("setting", AUTHENTICATION, wanted, context)


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
    for config in difference.changed.values():
        known = home.variables.get(str(config["name"]))
        if config.get("expression") is None:
            home.change_variable({**config, "value": as_value(config.get("value"))}, context)
        elif known.formula is not None:
            home.change_variable({"name": known.name, "value": known.value, "unit": known.unit}, context)
    if difference.added:
        home.add_variables(tuple(difference.added.values()), context)
    for config in computed:
        home.change_variable(config, context)


def _apply_rules(home: Home, difference: Difference, context: Context) -> None:
    for rule_id in difference.missing:
        home.rules.remove(rule_id, context)
    for rule_id, config in difference.changed.items():
        # what is not said of a rule is as if nobody had ever chosen it
        home.rules.change(rule_id, {"again": "ignore", "late": LATE, **config}, context)
    for config in difference.added.values():
        home.rules.add(config, context)


def _apply_screens(home: Home, plan: Plan, context: Context) -> None:
    """Pages and groups as they are wanted; devices that went before took themselves off them."""
    pages, groups = plan.differences["pages"], plan.differences["groups"]
    for page_id in pages.missing:
        home.pages.remove(page_id, context)
    for group_id in groups.missing:
        home.groups.remove(group_id, context)
    for config in pages.added.values():
        home.pages.add(config, context)
    for config in groups.added.values():
        home.groups.add(config, context)
    for page_id, config in plan.wanted["pages"].items():
        if home.pages.get(page_id).config != config:
            home.pages.change(page_id, config, context)
    for group_id, config in plan.wanted["groups"].items():
        if home.groups.get(group_id).config != config:
            home.groups.change(group_id, config, context)


def _order(home: Home, kind: Kind, wanted: Entries, context: Context) -> None:
    order = tuple(wanted)
    if tuple(key for key in home.order(kind) if key in wanted) != order:
        home.set_order(kind, order, context)
