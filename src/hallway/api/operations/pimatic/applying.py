"""A whole configuration at once: it is read, checked and compared with the home, which is then made like it or left.

It must not know how a configuration was sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hallway.access.people import Person, hashed
from hallway.api.operations.base import Hub
from hallway.api.operations.pimatic.blanking import BLANK, unblanked
from hallway.api.operations.pimatic.checking import check_settings
from hallway.api.operations.pimatic.configuration import settings_of
from hallway.api.operations.pimatic.kept import AUTHENTICATION, PIMATIC
from hallway.api.operations.pimatic.plans import ORDERED, Entries, Plan, apply, check, difference, present
from hallway.errors import InvalidInput
from hallway.home.announcing import check_definition, check_storable
from hallway.home.changes import Context, Kind
from hallway.home.values import Attributes, kind_of

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
MOST_ENTRIES: Final = 100_000


def planned(hub: Hub, config: Attributes) -> Plan:
    """What it takes to make the home like that. InvalidInput: it cannot be, and why; nothing has happened."""
    wanted = {name: _entries(config, name, key) for name, key in LISTS}
    settings = config.get("settings")
    if settings is not None and not isinstance(settings, dict):
        raise InvalidInput(f"settings must be an object, not {kind_of(settings)}")
    now = present(hub)
    passwords = _passwords(wanted["users"])
    wanted["users"] = {name: _without_password(user) for name, user in wanted["users"].items()}
    for name in ("plugins", "devices"):
        wanted[name] = {key: unblanked(body, now[name].get(key, {})) for key, body in wanted[name].items()}
    if settings is not None and settings != (known := settings_of(hub)):
        check_settings(settings, known)
    check_storable(wanted)
    differences = {name: difference(wanted[name], now[name], passwords if name == "users" else {}) for name in wanted}
    for body in (*wanted["plugins"].values(), settings):
        check_definition(body)
    orders: dict[Kind, tuple[str, ...]] = {kind: tuple(wanted[name]) for name, kind in ORDERED if name in wanted}
    plan = Plan(wanted, differences, _settings(hub, settings), passwords, orders)
    check(hub, plan)
    return plan


def _settings(hub: Hub, given: Attributes | None) -> dict[str, Attributes | None]:
    """The settings that are to be different, as they are kept."""
    if given is None or given == settings_of(hub):
        return {}
    found: dict[str, Attributes | None] = {}
    settings = dict(given)
    login = settings.pop("authentication", None)
    whole = unblanked(settings, hub.kept.setting(PIMATIC))
    if whole != hub.kept.setting(PIMATIC):
        found[PIMATIC] = whole
    if isinstance(login, dict):
        wanted: Attributes = {name: login[name] for name in ("enabled", "loginTime") if name in login}
        if wanted != hub.kept.setting(AUTHENTICATION):
            found[AUTHENTICATION] = wanted
    return found


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


def _passwords(users: Entries) -> dict[str, str]:
    """The passwords that are really there."""
    given = {name: user.get("password") for name, user in users.items()}
    for name, password in given.items():
        if password is not None and not isinstance(password, str):
            raise InvalidInput(f"user {name[:60]}: password must be a text")
    return {name: str(password) for name, password in given.items() if password not in (None, "", BLANK)}


def _without_password(user: Attributes) -> Attributes:
    return {"username": user["username"], "role": user.get("role", "")}


async def make_like(hub: Hub, config: Attributes, context: Context, check: Callable[[], None]) -> None:
    """Make the home like that configuration. InvalidInput: it cannot be, and why; nothing has happened.

    check: is asked again whether it may still be done once others could have edited meanwhile.
    """
    plan = planned(hub, config)
    if plan.passwords:
        hashes = await _hashes(plan)
        # hashing takes time in which others edit: the plan is made anew, and done before anybody can do something else
        check()
        apply(hub, planned(hub, config), hashes, context)
    else:
        apply(hub, plan, {}, context)


async def _hashes(plan: Plan) -> dict[str, str]:
    """The hashes of new passwords."""
    return {name: (await hashed(Person(name, ""), password)).hash for name, password in plan.passwords.items()}
