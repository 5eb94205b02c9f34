"""The operations on rules: list, define, order, help to write them, and single actions at once.

It must not know the language of rules, nor how a request or answer is written.
"""

from __future__ import annotations

from typing import Final, get_args

from hallway.api.operations.base import About, Ask, Hub, Operation, Parameter, RuleAdvice, never
from hallway.api.operations.pimatic.coercion import boolean_of
from hallway.api.operations.pimatic.declaring import data, kept, maybe, object_in, order_in, path, refusing, text_in
from hallway.api.operations.pimatic.forms import rule_form
from hallway.errors import InvalidInput
from hallway.home.rules import Again
from hallway.home.values import Attributes, Value

AREA: Final = "rules"


def get_rules(hub: Hub, _ask: Ask) -> object:
    return [rule_form(rule) for rule in hub.home.rules.all()]


def get_rule(hub: Hub, ask: Ask) -> object:
    rule_id = str(ask.data["ruleId"])
    return rule_form(hub.home.rules.get(rule_id)) if rule_id in hub.home.rules else None


async def add_rule(hub: Hub, ask: Ask) -> object:
    """With `force` a rule that cannot be read is kept, and the answer says why it does not work all the same."""
    config = _definition(ask)
    for name in ("name", "rule"):
        if not isinstance(config.get(name), str):
            raise InvalidInput("rule needs name and ruleString, both of them texts")
    force = boolean_of("force", ask.data["force"]) if "force" in ask.data else False
    with refusing():
        rule = hub.home.rules.add(config, ask.caller.context, force=force)
    edited = kept(hub, None)
    if rule.error is not None:
        await edited
        raise InvalidInput(f"the rule {rule.id} is kept and does not work: {rule.error}")
    return edited


def update_rule(hub: Hub, ask: Ask) -> object:
    with refusing():
        hub.home.rules.change(str(ask.data["ruleId"]), _definition(ask), ask.caller.context)
    return kept(hub, result=True)


def _definition(ask: Ask) -> Attributes:
    """What was said of a rule, under the names that the home has for it."""
    given = object_in(ask.data, "rule")
    config: Attributes = {"id": str(ask.data["ruleId"])}
    for name, own in (("name", "name"), ("ruleString", "rule")):
        if given.get(name) is not None:
            config[own] = text_in(given, name)
    config |= {key: _flag(key, given[key]) for key in ("active", "logging") if given.get(key) is not None}
    return config | {key: given[key] for key in ("again", "late") if given.get(key) is not None}


def _flag(name: str, value: Value) -> bool:
    """Here pimatic takes no numbers, other than where a device is told something."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise InvalidInput(f"{name} must be true or false, not {value}")
    return boolean_of(name, value)


def remove_rule(hub: Hub, ask: Ask) -> object:
    with refusing():
        hub.home.rules.remove(str(ask.data["ruleId"]), ask.caller.context)
    return kept(hub, None)


def order_rules(hub: Hub, ask: Ask) -> object:
    order = order_in(ask.data, "ruleOrder")
    hub.home.set_order("rule", order, ask.caller.context)
    return kept(hub, order)


# ---------------------------------------------------------------------- help to write them


def _language(hub: Hub) -> RuleAdvice:
    if hub.rule_language is None:
        raise InvalidInput("this hub was made without the language of rules")
    return hub.rule_language


def action_hints(hub: Hub, ask: Ask) -> object:
    return _language(hub).action_hints(text_in(ask.data, "actionsInput"), hub.home)


def condition_hints(hub: Hub, ask: Ask) -> object:
    return _language(hub).condition_hints(text_in(ask.data, "conditionInput"), hub.home)


def predicate_presets(hub: Hub, _ask: Ask) -> object:
    return _language(hub).predicate_presets(hub.home)


def predicate_info(hub: Hub, ask: Ask) -> object:
    kind = ask.data.get("predicateProviderClass")
    return _language(hub).predicate_info(text_in(ask.data, "input"), None if kind is None else str(kind), hub.home)


def execute_action(hub: Hub, ask: Ask) -> Value:
    """Do one action now, or tell what it would do; what was done becomes a message unless `logging` is off."""
    simulate = boolean_of("simulate", ask.data["simulate"]) if "simulate" in ask.data else False
    logging = not simulate and ask.data.get("logging", True) not in (False, "false")
    text = text_in(ask.data, "actionString")
    with refusing():
        return _language(hub).execute(text, hub.home, ask.caller.context, simulate=simulate, logging=logging)


_ID = path("ruleId", "id of the rule", "night")
_SWITCHES: Final = (
    maybe("active", "boolean", "whether it runs"),
    maybe("logging", "boolean", "whether it writes a message when it does"),
    Parameter(
        "again",
        "data",
        "what starting it does while it runs or has just run",
        schema={"enum": list(get_args(Again))},
        beyond=True,
    ),
    Parameter("late", "data", "minutes by which it may be late after the hub was off", "number", beyond=True),
)
_HINTS: Final = {"tokens": {"type": "array"}, "autocomplete": {"type": "array"}, "errors": {"type": "array"}}
_MORE_HINTS: Final = {"warnings": {"type": "array"}, "format": {"type": "array"}}

OPERATIONS: Final = (
    Operation(
        "addRuleByString",
        ("POST",),
        "/api/rules/{ruleId}",
        "Add a rule",
        "rules:write",
        "",
        add_rule,
        (
            _ID,
            data(
                "rule",
                "object",
                "the rule",
                example={"name": "Night", "ruleString": "when its 23:00 then turn bed_light off"},
                fields=(
                    data("name", "string", "what people call it"),
                    data("ruleString", "string", "when … then …"),
                    *_SWITCHES,
                ),
            ),
            maybe("force", "boolean", "keep it even if it cannot be read"),
        ),
        area=AREA,
        about=About("rule", ("ruleId",)),
        at_once=never,
    ),
    Operation(
        "updateRuleByString",
        ("PATCH",),
        "/api/rules/{ruleId}",
        "Change what is given of a rule",
        "rules:write",
        "",
        update_rule,
        (
            _ID,
            data(
                "rule",
                "object",
                "what is to be different",
                example={"active": False},
                fields=(
                    maybe("name", "string", "what people call it"),
                    maybe("ruleString", "string", "when … then …"),
                    *_SWITCHES,
                ),
            ),
        ),
        area=AREA,
        about=About("rule", ("ruleId",)),
    ),
    Operation(
        "removeRule",
        ("DELETE",),
        "/api/rules/{ruleId}",
        "Remove a rule",
        "rules:write",
        "",
        remove_rule,
        (_ID,),
        area=AREA,
        about=About("rule", ("ruleId",)),
    ),
    Operation(
        "getRules",
        ("GET",),
        "/api/rules",
        "List all rules",
        "rules:write",
        "rules",
        get_rules,
        area=AREA,
        result_type="array",
        result_schema={"toJson": True},
    ),
    Operation(
        "getRuleById",
        ("GET",),
        "/api/rules/{ruleId}",
        "Tell everything about one rule",
        "rules:read",
        "rule",
        get_rule,
        (_ID,),
        area=AREA,
        about=About("rule", ("ruleId",)),
        result_type="object",
        result_schema={"toJson": True},
    ),
    Operation(
        "getRuleActionsHints",
        ("POST",),
        "/api/rules-parser/get-actions-hints",
        "Tell how the actions of a rule are read and could go on",
        "rules:read",
        "hints",
        action_hints,
        (data("actionsInput", "string", "what stands after `then` so far", example="turn bed"),),
        area=AREA,
        result_type="object",
        result_schema={"properties": {"actions": {"type": "array"}, **_HINTS, **_MORE_HINTS}},
    ),
    Operation(
        "getRuleConditionHints",
        ("POST",),
        "/api/rules-parser/get-condition-hints",
        "Tell how the condition of a rule is read and could go on",
        "rules:read",
        "hints",
        condition_hints,
        (data("conditionInput", "string", "what stands after `when` so far", example="bed_light is "),),
        area=AREA,
        result_type="object",
        result_schema={"properties": {"predicates": {"type": "array"}, **_HINTS, **_MORE_HINTS}},
    ),
    Operation(
        "getPredicatePresets",
        ("GET",),
        "/api/rules-parser/get-predicate-presets",
        "List examples of what a rule can watch",
        "rules:read",
        "presets",
        predicate_presets,
        area=AREA,
        result_type="array",
    ),
    Operation(
        "getPredicateInfo",
        ("GET",),
        "/api/rules-parser/get-predicate-info",
        "Tell of which parts a single condition is made, for a form",
        "rules:read",
        "result",
        predicate_info,
        (
            data("input", "string", "the condition", example="bed_light is on"),
            maybe("predicateProviderClass", "string", "of which kind it must be"),
        ),
        area=AREA,
        result_type="array",
    ),
    Operation(
        "executeAction",
        ("POST",),
        "/api/execute-action",
        "Do a single action of a rule now",
        "rules:write",
        "message",
        execute_action,
        (
            data("actionString", "string", "the action", example="turn bed_light on"),
            maybe("simulate", "boolean", "tell only what it would do"),
            maybe("logging", "string", "whether to write a message about it"),
        ),
        area=AREA,
        result_type="string",
    ),
    Operation(
        "updateRuleOrder",
        ("POST",),
        "/api/rules",
        "Say in which order rules are shown",
        "rules:write",
        "ruleOrder",
        order_rules,
        (data("ruleOrder", "array", "ids of rules; those left out follow"),),
        area=AREA,
        about=About("order", fixed="rule"),
        result_type="array",
    ),
)
