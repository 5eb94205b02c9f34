"""What somebody may see and use of entities, services and events: as far as the scopes of their role go.

`variable.…` belongs to variables, `rule.…` to rules, every other entity to devices. The domain alone tells it:
variables and rules have these, nothing of a device has, and so what was reported under such a name, is mirrored from
another hub or is gone already is no way round a scope. It must not know how somebody asks, nor how a stream is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from hallway.access.callers import Caller, Permission, Scope
from hallway.errors import Forbidden, HallwayError
from hallway.home.bus import CALL_SERVICE, SERVICE_EXECUTED, STATE_CHANGED, Event
from hallway.home.changes import State, StateChange
from hallway.home.entity_services import entity_ids_in
from hallway.home.ids import MAX_ID, split_entity_id
from hallway.home.services import CALL_ID
from hallway.home.values import Attributes, Value, python_text

Hears = Callable[[Event], bool]
"""Whether somebody may hear of an event; it is asked of every event, in order."""

_OF_DOMAIN: Final[Mapping[str, Scope]] = MappingProxyType({"variable": "variables", "rule": "rules"})
_USES: Final[Mapping[Scope, Permission]] = MappingProxyType(
    {"devices": "controlDevices", "variables": "variables:write", "rules": "rules:write"}
)
_SEES_ALL: Final[frozenset[Permission]] = frozenset(f"{scope}:read" for scope in _USES)
_SETS_ALL: Final[frozenset[Permission]] = frozenset(_USES.values())
_USES_ALL: Final[frozenset[Permission]] = _SETS_ALL | {"restart"}
_STOP: Final = ("homeassistant", "stop")
_CALLS_REMEMBERED: Final = 1000


def scope_of(entity_id: str) -> Scope:
    """The scope that an entity belongs to; the id in any case."""
    return _OF_DOMAIN.get(split_entity_id(entity_id)[0].lower(), "devices")


# ---------------------------------------------------------------------- seeing


def may_see(caller: Caller, entity_id: str) -> bool:
    """Whether the caller may see what that entity shows."""
    return caller.may_all(_SEES_ALL) or caller.may(f"{scope_of(entity_id)}:read")


def seen(caller: Caller, states: list[State]) -> list[State]:
    """Those of the states that the caller may see."""
    if caller.may_all(_SEES_ALL):
        return states
    return [state for state in states if may_see(caller, state.entity_id)]


def hearing(caller: Caller) -> Hears | None:
    """Which events the caller may hear of; None: of all. A hub that we follow hears what we do."""
    return None if caller.link or caller.may_all(_SEES_ALL) else _Hearing(caller)


class _Hearing:
    """Leaves out the states that somebody may not see, and the calls that name such entities, with their end."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._calls: dict[str, None] = {}

    def __call__(self, event: Event) -> bool:
        try:
            return self._hears(event)
        except HallwayError:
            return False  # what it names cannot be told

    def _hears(self, event: Event) -> bool:
        data = event.data
        if isinstance(data, StateChange):
            return may_see(self._caller, data.entity_id)
        if event.event_type == STATE_CHANGED:
            return self._sees(scope_of(entity_id) for entity_id in _ids_of_change(data))
        if event.event_type == CALL_SERVICE:
            return self._hears_call(data)
        return event.event_type != SERVICE_EXECUTED or _call_id(data) in self._calls

    def _hears_call(self, data: Mapping[str, Value]) -> bool:
        """Whether all is seen that a call reaches. Of what was not told, the end is not told either."""
        if not self._sees(_scopes_called(python_text(data.get("domain")), dict(data))):
            return False
        call_id = _call_id(data)
        if len(call_id) <= MAX_ID:
            self._calls[call_id] = None
        if len(self._calls) > _CALLS_REMEMBERED:
            del self._calls[next(iter(self._calls))]
        return True

    def _sees(self, scopes: Iterable[Scope]) -> bool:
        return all(self._caller.may(f"{scope}:read") for scope in scopes)


def _call_id(data: Mapping[str, Value]) -> str:
    return python_text(data.get(CALL_ID))


def _ids_of_change(data: Mapping[str, Value]) -> Iterator[str]:
    """The entities that an event `state_changed` names which somebody fired."""
    states = (data.get("new_state"), data.get("old_state"))
    for part in (data, *(state for state in states if isinstance(state, dict))):
        yield python_text(part.get("entity_id"))


# ---------------------------------------------------------------------- using


def check_set(caller: Caller, entity_id: str) -> None:
    """Forbidden: the caller may not set what that entity shows."""
    if not caller.may_all(_SETS_ALL):
        _check(caller, _USES[scope_of(entity_id)], f"setting {entity_id[:60]}")


def check_call(caller: Caller, domain: str, service: str, data: Attributes) -> None:
    """Forbidden: the caller may not call that service with this data. InvalidInput: what it names are no entities."""
    if caller.may_all(_USES_ALL):
        return
    what = f"{domain}.{service}"[:60]
    if (domain, service) == _STOP:
        _check(caller, "restart", what)
    for scope in sorted(_scopes_called(domain, data)):
        _check(caller, _USES[scope], f"{what} for {scope}")


def check_fired(caller: Caller, event_type: str, data: Attributes) -> None:
    """Forbidden: the event calls a service which the caller may not call. A hub that we follow may call all."""
    if event_type == CALL_SERVICE and not caller.link:
        check_call(caller, python_text(data.get("domain")), python_text(data.get("service")), data)


def _scopes_called(domain: str, data: Attributes) -> set[Scope]:
    """The scopes of what a call can reach: by the service's domain, and by the entities named.

    Groups have devices as members only. The fields of a call may stand in its `service_data` too.
    """
    nested = data.get("service_data")
    scopes: set[Scope] = {_OF_DOMAIN.get(domain, "devices")}
    for fields in (data, nested if isinstance(nested, dict) else {}):
        scopes.update(scope_of(entity_id) for entity_id in entity_ids_in(fields) or ())
    return scopes


def _check(caller: Caller, permission: Permission, what: str) -> None:
    if not caller.may(permission):
        whose = f"the role {caller.role}" if caller.role else caller.name
        raise Forbidden(f"{what} needs the permission {permission}, which {whose} has not")
