"""Configurations of pimatic: one as people have it, and any number of others made up."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

ROLE = {"pages": "read", "rules": "none", "devices": "write", "controlDevices": True, "restart": False}
CONFIG: dict[str, Any] = {
    "settings": {
        "locale": "de",
        "authentication": {"enabled": True, "secret": "s" * 32, "loginTime": 0},
        "httpServer": {"enabled": True, "port": 80},
        "database": {
            "client": "mysql",
            "connection": {"host": "localhost", "password": "of the database"},
            "deviceAttributeLogging": [{"deviceId": "*", "attributeName": "*", "expire": "1y"}],
        },
        "gui": {"hideRuleName": True},
    },
    "plugins": [{"plugin": "cron"}, {"plugin": "sunrise", "latitude": 52.5, "longitude": 13.4, "active": False}],
    "devices": [
        {"id": "lamp", "name": "Lämp", "class": "DummyDimmer"},
        {"id": "heater", "name": "Heater", "class": "DummySwitch", "xOnLabel": "an"},
        {"id": "hue", "name": "Hue", "class": "HueLight", "hueId": 3},
    ],
    "variables": [
        {"name": "limit", "value": "21.5", "unit": "°C"},
        {"name": "double", "expression": "$limit * 2"},
        {"name": "text", "value": "007 x"},
    ],
    "rules": [{"id": "night", "name": "Night", "rule": "when $limit > 3 then turn lamp off", "active": False}],
    "pages": [{"id": "start", "name": "Start", "devices": [{"deviceId": "lamp"}], "allowedRoles": ["admin"]}],
    "groups": [{"id": "all", "name": "All", "devices": ["lamp"], "rules": ["night"], "variables": ["limit"]}],
    "users": [
        {"username": "zoe", "password": "päss:wörd", "role": "admin"},
        {"username": "anna", "password": "staple", "role": "reader"},
    ],
    "roles": [{"name": "reader", "permissions": ROLE}, {"name": "admin", "permissions": {}}],
}


def config(**changed: Any) -> dict[str, Any]:
    """The configuration with some sections changed."""
    return {**copy.deepcopy(CONFIG), **changed}


ids = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | words
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3))


def listed(named_by: str, **others: Any) -> Any:
    """A list of entries with different names."""
    entry = st.fixed_dictionaries({named_by: ids, **others})
    return st.lists(entry, max_size=5, unique_by=lambda each: each[named_by])


configs = st.fixed_dictionaries(
    {
        "settings": st.dictionaries(st.sampled_from(["locale", "gui", "debug", "cors"]), values, max_size=4),
        "plugins": listed("plugin", active=st.booleans(), option=values),
        "devices": listed("id", name=words, **{"class": st.sampled_from(["DummySwitch", "Timer", "Unknown"])}),
        "variables": listed("name", value=words | st.integers(-(2**53), 2**53) | st.booleans()),
        "rules": listed("id", name=words, rule=words, active=st.booleans(), logging=st.booleans()),
        "pages": listed("id", name=words, devices=st.lists(st.fixed_dictionaries({"deviceId": ids}), max_size=3)),
        "groups": listed("id", name=words, devices=st.lists(ids, max_size=3)),
        "users": listed("username", role=ids),
        "roles": listed("name", permissions=st.dictionaries(words, words, max_size=3)),
    }
)
