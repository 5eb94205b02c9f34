"""The operations on variables: list, define, set, order.

It must not know how a request or answer is written.
"""

from __future__ import annotations

from typing import Final

from hallway.api.operations.base import About, Ask, Hub, Operation
from hallway.api.operations.pimatic.declaring import data, kept, maybe, order_in, path, refusing
from hallway.api.operations.pimatic.forms import variable_form
from hallway.errors import InvalidInput
from hallway.home.values import Attributes

AREA: Final = "variables"
KINDS: Final = ("value", "expression")


def get_variables(hub: Hub, _ask: Ask) -> object:
    return hub.forms.variables()


def get_variable(hub: Hub, ask: Ask) -> object:
    return hub.forms.variable(str(ask.data["name"]))


def add_variable(hub: Hub, ask: Ask) -> object:
    with refusing():
        variable = hub.home.add_variable(_definition(ask), ask.caller.context)
    return kept(hub, variable_form(variable))


def update_variable(hub: Hub, ask: Ask) -> object:
    with refusing():
        variable = hub.home.change_variable(_definition(ask), ask.caller.context)
    return kept(hub, variable_form(variable))


def _definition(ask: Ask) -> Attributes:
    """The definition that was asked for; a variable without a unit has none from now on."""
    kind, given, unit = ask.data["type"], ask.data["valueOrExpression"], ask.data.get("unit")
    if kind not in KINDS:
        raise InvalidInput(f"type must be value or expression, not {str(kind)[:40]!r}")
    if kind == "expression" and not (isinstance(given, str) and given):
        raise InvalidInput("valueOrExpression must be the text of an expression")
    config: Attributes = {"name": str(ask.data["name"]), str(kind): given}
    return config if unit is None else {**config, "unit": unit}


def remove_variable(hub: Hub, ask: Ask) -> object:
    name = str(ask.data["name"])
    if hub.forms.variable(name) is None:
        return None
    with refusing():
        hub.home.remove_variable(name, ask.caller.context)
    return kept(hub, result=True)


def order_variables(hub: Hub, ask: Ask) -> object:
    order = order_in(ask.data, "variableOrder")
    hub.home.set_order("variable", order, ask.caller.context)
    return kept(hub, order)


_NAME = path("name", "name of the variable, without $", "outside")
_ONE: Final = {"toJson": True}
_DEFINITION = (
    _NAME,
    data("type", "string", "value or expression", example="value", schema={"enum": ["expression", "value"]}),
    data("valueOrExpression", "string", "the value, or the text of the expression", example="21.5"),
    maybe("unit", "string", "its unit; left out: none", example="°C"),
)

OPERATIONS: Final = (
    Operation(
        "getVariables",
        ("GET",),
        "/api/variables",
        "List all variables, attributes of devices first",
        "variables:read",
        "variables",
        get_variables,
        area=AREA,
        result_type="array",
        result_schema=_ONE,
    ),
    Operation(
        "updateVariable",
        ("PATCH",),
        "/api/variables/{name}",
        "Give a variable a value, or an expression to be computed by",
        "variables:write",
        "variable",
        update_variable,
        _DEFINITION,
        area=AREA,
        about=About("variable", ("name",)),
        result_type="object",
        result_schema=_ONE,
    ),
    Operation(
        "addVariable",
        ("POST",),
        "/api/variables/{name}",
        "Add a variable",
        "variables:write",
        "variable",
        add_variable,
        _DEFINITION,
        area=AREA,
        about=About("variable", ("name",)),
        result_type="object",
        result_schema=_ONE,
    ),
    Operation(
        "getVariableByName",
        ("GET",),
        "/api/variables/{name}",
        "Tell everything about one variable or attribute (`device.attribute`)",
        "variables:read",
        "variable",
        get_variable,
        (_NAME,),
        area=AREA,
        about=About("variable", ("name",)),
        result_type="object",
        result_schema=_ONE,
    ),
    Operation(
        "removeVariable",
        ("DELETE",),
        "/api/variables/{name}",
        "Remove a variable",
        "variables:write",
        "variable",
        remove_variable,
        (_NAME,),
        area=AREA,
        about=About("variable", ("name",)),
        result_type="object",
        result_schema=_ONE,
    ),
    Operation(
        "updateVariableOrder",
        ("POST",),
        "/api/variables",
        "Say in which order variables are shown",
        "variables:write",
        "variableOrder",
        order_variables,
        (data("variableOrder", "array", "names of variables; those left out follow"),),
        area=AREA,
        about=About("order", fixed="variable"),
        result_type="array",
    ),
)
