"""A role gives what is written in it and nothing else."""

from __future__ import annotations

import pytest

from hallway.access.callers import EVERYTHING, SCOPES
from hallway.access.roles import BUILT_IN, NO_ROLE, Role
from hallway.home.values import Value


def test_write_includes_read() -> None:
    role = Role.of("editor", {"rules": "write", "pages": "read", "controlDevices": True})
    assert role.granted == {"rules:read", "rules:write", "pages:read", "controlDevices"}


def test_all_permissions_of_a_role_are_told_those_that_it_has_not_too() -> None:
    role = Role.of("editor", {"rules": "write"})
    assert role.permissions["rules"] == "write"
    assert role.permissions["pages"] == "none"
    assert role.permissions["restart"] is False
    assert list(role.permissions) == [*SCOPES, "controlDevices", "restart"]


@pytest.mark.parametrize("given", ["all", True, 1, None, ["write"], "WRITE"])
def test_what_is_no_permission_gives_nothing(given: Value) -> None:
    assert Role.of("odd", {"rules": given, "restart": "true", "unheard": "write"}).granted == frozenset()


def test_every_home_has_three_roles() -> None:
    assert BUILT_IN["admin"].granted == EVERYTHING
    resident, guest = BUILT_IN["resident"].granted, BUILT_IN["guest"].granted
    assert {"controlDevices", "rules:read", "devices:read"} <= resident
    assert not {permission for permission in resident if permission.endswith(":write")}
    assert guest < resident
    assert "controlDevices" not in guest


def test_a_role_that_does_not_exist_gives_nothing() -> None:
    assert NO_ROLE.granted == frozenset()
