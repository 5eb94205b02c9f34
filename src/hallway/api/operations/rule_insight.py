"""The operations on what rules did and will do: traces, why, what touches what, trying, checking, triggering.

What they tell holds values of devices and variables, so whoever asks must be allowed to read these too. It must not
know how rules run, nor how a request or answer is written.
"""

from __future__ import annotations

from typing import Final, get_args

from hallway.access.callers import Permission
from hallway.api.operations.base import Ask, Hub, Operation, RuleInsight, never
from hallway.api.operations.pimatic.coercion import number_of
from hallway.api.operations.pimatic.declaring import data, maybe, path, text_in
from hallway.api.operations.revision_sight import Sight
from hallway.errors import Forbidden, InvalidInput, Unavailable
from hallway.home.rules import Again
from hallway.home.values import Attributes, Value

AREA: Final = "rules"
RESULTS: Final = ("ran", "otherwise", "condition false", "ignored", "skipped", "cancelled")
MOST_TRACES: Final = 150
MOST_NUMBER: Final = 2**53
"""A number beyond all traces, which JSON can still count."""
MOST_DAYS: Final = 28.0
WEEK: Final = 7.0
_VALUES: Final[tuple[Permission, ...]] = ("devices:read", "variables:read")
_PAST: Final[tuple[Permission, ...]] = (*_VALUES, "events:read")


async def get_traces(hub: Hub, ask: Ask) -> object:
    _allow(ask, "getRuleTraces", _VALUES)
    result = ask.data.get("result")
    if result is not None and result not in RESULTS:
        raise InvalidInput(f"result is {str(result)[:40]!r}: give one of {', '.join(RESULTS)}")
    before = _between("before", ask.data, 1, MOST_NUMBER, MOST_NUMBER)
    limit = _between("limit", ask.data, 1, MOST_TRACES, 50)
    wanted = None if result is None else str(result)
    return await _insight(hub).traces(str(ask.data["ruleId"]), wanted, int(before), int(limit))


async def get_trace(hub: Hub, ask: Ask) -> object:
    _allow(ask, "getRuleTrace", _VALUES)
    trace_id = str(ask.data["traceId"])
    if not (trace_id.isascii() and trace_id.isdigit() and len(trace_id) < len(str(MOST_NUMBER))):
        raise InvalidInput(f"traceId is {trace_id[:40]!r}: give the number of a trace, which is its `id`")
    return await _insight(hub).trace(int(trace_id))


async def why(hub: Hub, ask: Ask) -> object:
    _allow(ask, "why", _VALUES)
    return await _insight(hub).why(text_in(ask.data, "name"))


def what_touches(hub: Hub, ask: Ask) -> object:
    """Of groups and pages only those of which the caller may know."""
    found, sight = _insight(hub).touches(text_in(ask.data, "name")), Sight(hub, ask.caller)
    for kind in ("group", "page"):
        ids = found[f"{kind}s"]
        known = sight.of_order(kind, ids) if isinstance(ids, list) and sight.may("read", (kind, "")) else []
        found[f"{kind}s"] = list[Value](known)
    return found


async def try_rule(hub: Hub, ask: Ask) -> object:
    _allow(ask, "tryRule", _PAST)
    text, again = _sentence(hub, ask.data)
    days = _between("days", ask.data, 0, MOST_DAYS, WEEK)
    return await _insight(hub).attempt(text, days, again)


def _sentence(hub: Hub, given: Attributes) -> tuple[str, str]:
    """The rule that is to be tried, and what starting it again does."""
    if (given.get("ruleString") is None) == (given.get("ruleId") is None):
        raise InvalidInput("give either ruleString, a sentence, or ruleId, a rule that there is")
    again = given.get("again")
    if again is not None and again not in get_args(Again):
        raise InvalidInput(f"again is {str(again)[:40]!r}: give one of {', '.join(get_args(Again))}")
    if given.get("ruleString") is not None:
        return text_in(given, "ruleString"), str(again or "ignore")
    rule = hub.home.rules.get(text_in(given, "ruleId"))
    return rule.text, str(again or rule.again)


def get_upcoming(hub: Hub, ask: Ask) -> object:
    return _insight(hub).upcoming(_between("days", ask.data, 0, MOST_DAYS, WEEK))


def check_rule(hub: Hub, ask: Ask) -> object:
    return _insight(hub).check(text_in(ask.data, "ruleString"))


def trigger_rule(hub: Hub, ask: Ask) -> object:
    if hub.home.rules.trigger is None:
        raise Unavailable("nothing runs rules here just now; try again in a moment")
    hub.home.rules.trigger(str(ask.data["ruleId"]), ask.caller.context)
    return None


# ---------------------------------------------------------------------- checks


def _insight(hub: Hub) -> RuleInsight:
    if hub.rule_insight is None:
        raise Unavailable("nothing runs rules in this hub")
    return hub.rule_insight


def _allow(ask: Ask, operation: str, permissions: tuple[Permission, ...]) -> None:
    """Forbidden: what is told holds values that the caller may not read."""
    lacking = [permission for permission in permissions if not ask.caller.may(permission)]
    if lacking:
        raise Forbidden(
            f"{operation} tells values of devices and variables: it needs {' and '.join(lacking)} too, "
            f"which {ask.caller.name} lacks"
        )


def _between(name: str, given: Attributes, low: float, high: float, default: float) -> float:
    """A number in a range; 0 as the lower end is not part of it."""
    if given.get(name) is None:
        return default
    number = number_of(name, given[name])
    if not low <= number <= high or not number:
        but = "" if number else ", not 0"
        raise InvalidInput(f"{name} is {number:g}: give a number from {low:g} to {high:g}{but}")
    return number


_ID: Final = path("ruleId", "id of the rule", "night")

OPERATIONS: Final = (
    Operation(
        "getRuleTraces",
        ("GET",),
        "/api/rules/{ruleId}/traces",
        "List what a rule did and why, or why not, newest first",
        "rules:read",
        "traces",
        get_traces,
        (
            _ID,
            maybe("limit", "number", f"how many at most, up to {MOST_TRACES}", example=10),
            maybe("before", "number", "only those older than the trace with this id"),
            maybe("result", "string", "only those that ended so", schema={"enum": list(RESULTS)}),
        ),
        area=AREA,
        result_type="array",
        at_once=never,
    ),
    Operation(
        "getRuleTrace",
        ("GET",),
        "/api/rule-traces/{traceId}",
        "Tell everything about one run of a rule, or why it did not run",
        "rules:read",
        "trace",
        get_trace,
        (path("traceId", "id of the trace", "1"),),
        area=AREA,
        result_type="object",
        at_once=never,
    ),
    Operation(
        "why",
        ("GET",),
        "/api/why",
        "Tell why something is as it is, back to the person, device or time that began it",
        "rules:read",
        "why",
        why,
        (
            data(
                "name",
                "string",
                "an attribute (bed_light.state), a variable ($x) or an entity (light.bed_light)",
                example="bed_light.state",
            ),
        ),
        area=AREA,
        result_type="object",
        at_once=never,
    ),
    Operation(
        "whatTouches",
        ("GET",),
        "/api/touches",
        "List the rules, groups and pages that look at something or act on it",
        "rules:read",
        "touches",
        what_touches,
        (data("name", "string", "a device, a variable ($x) or an entity", example="bed_light"),),
        area=AREA,
        result_type="object",
    ),
    Operation(
        "tryRule",
        ("POST",),
        "/api/try-rule",
        "Tell when a rule would have run lately and what it would have done, touching nothing",
        "rules:read",
        "trial",
        try_rule,
        (
            maybe("ruleString", "string", "a sentence", example="when bed_light is on then turn bed_light off"),
            maybe("ruleId", "string", "or the id of a rule that there is"),
            maybe("days", "number", f"how far back, up to {MOST_DAYS:g}", example=1),
            maybe(
                "again",
                "string",
                "what starting it does while it runs or has just run",
                schema={"enum": list(get_args(Again))},
            ),
        ),
        area=AREA,
        result_type="object",
        at_once=never,
    ),
    Operation(
        "getUpcoming",
        ("GET",),
        "/api/upcoming",
        "List what rules will do by the clock, with what is pending now",
        "rules:read",
        "upcoming",
        get_upcoming,
        (maybe("days", "number", f"how far ahead, up to {MOST_DAYS:g}", example=1),),
        area=AREA,
        result_type="array",
    ),
    Operation(
        "checkRule",
        ("POST",),
        "/api/rules-parser/check",
        "Tell whether a sentence is a rule, or what is wrong and where, and what it reads and acts on",
        "rules:read",
        "check",
        check_rule,
        (data("ruleString", "string", "when … then …", example="when bed_light is on then turn bed_light off"),),
        area=AREA,
        result_type="object",
    ),
    Operation(
        "triggerRule",
        ("POST",),
        "/api/rules/{ruleId}/trigger",
        "Let a rule do what it does, whatever its condition says",
        "rules:write",
        "",
        trigger_rule,
        (_ID,),
        area=AREA,
    ),
)
