"""Operations made up for tests of what is written from declarations; none of them can be run."""

from __future__ import annotations

from typing import Any

from hallway.api.operations.base import Ask, Hub, Operation, Parameter

NASTY = "<script>alert('x')</script> & \"quotes\" 'single' \u2028 ☃"


def cannot_run(_hub: Hub, _ask: Ask) -> object:
    raise AssertionError("only its declaration is looked at")


def operation(name: str = "getThing", **changed: Any) -> Operation:
    """An operation with some of its declaration changed."""
    declared: dict[str, Any] = {
        "methods": ("GET",),
        "route": "/api/things/{thingId}",
        "description": "Tell about a thing",
        "permission": "devices:read",
        "result": "thing",
        "result_type": "object",
        "parameters": (Parameter("thingId", "path", "its id", required=True, example="a b/c"),),
        "area": "things",
        **changed,
    }
    return Operation(name, handler=cannot_run, **declared)


CRITERIA = Parameter(
    "criteria",
    "data",
    "which ones",
    "object",
    fields=(
        Parameter("level", "data", "how bad", "", schema={"type": "any"}),
        Parameter("limit", "data", "how many", "number", required=True, example=10),
    ),
)
KIND = Parameter("kind", "data", "of which kind", required=True, schema={"enum": ["value", "expression"]})
ADD = operation("addThing", methods=("POST",), parameters=(*operation().parameters, KIND, CRITERIA), result="")
LIST = operation("getThings", route="/api/things", parameters=(CRITERIA,), permission="", result_type="array")
ON_SOCKET = operation("onlySocket", methods=(), route="", parameters=(KIND,), permission="controlDevices")
PLAIN = operation("plain", route="/api/plain", area="", parameters=(), result="message", result_type="")
EVIL = operation(
    NASTY,
    route=f"/api/{NASTY}/{{id}}",
    description=NASTY,
    permission=NASTY,
    result=NASTY,
    result_type="",
    area=NASTY,
    free_data=NASTY,
    parameters=(
        Parameter("id", "path", NASTY, required=True, example=NASTY),
        Parameter(
            NASTY, "data", NASTY, required=True, example={NASTY: [NASTY]}, schema={"enum": [NASTY], "type": NASTY}
        ),
    ),
)
ALL = (operation(), ADD, LIST, ON_SOCKET, PLAIN, EVIL)
