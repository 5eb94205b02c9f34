"""Why something is as it is: the chain of causes from a value back to a person, a client, a device or a time.

As data and as a sentence. And what touches a device: the rules, groups, pages and variables that look at it or act on
it. It must not know doors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from hallway.errors import HallwayError, NotFound
from hallway.home.changes import Context, Fired, StateChange, Updated, VariableSet
from hallway.home.classes import REPORTED
from hallway.home.dates import date_text
from hallway.home.home import Home
from hallway.home.values import Attributes, Value
from hallway.language.coercion import to_text
from hallway.language.rules import ParsedRule
from hallway.rules.causes import text_of
from hallway.rules.mentions import Mentions, mentions_of, name_of
from hallway.rules.recent import Kept, Recent
from hallway.rules.traces import Trace, Traces

LONGEST: Final = 40
_RULE: Final = "rule:"
NOTHING_READ: Final[Mapping[str, Mentions]] = MappingProxyType({})
_WORDS: Final = {
    "formula": "it is computed from that",
    "field": "a field shows that",
    "group": "a group shows its members",
    "service": "a service did it",
    "start": "the hub started",
    "sun": "the sun",
}
Kind = Literal["change", "rule", "person", "time", "other", "unknown"]


class Link(msgspec.Struct, frozen=True):
    """One link of a chain of causes. at: seconds since 1970; trace: of the rule, for whoever wants to know more."""

    kind: Kind
    text: str
    at: float | None = None
    seq: int | None = None
    rule_id: str | None = None
    trace: int | None = None
    user: str | None = None
    origin: str | None = None


class Answer(msgspec.Struct, frozen=True):
    """Why something is so: its value, the chain of causes (newest first), and all of that as a sentence."""

    name: str
    value: Value
    chain: tuple[Link, ...]
    sentence: str

    def as_json(self) -> Attributes:
        told: Attributes = {
            "name": self.name,
            "value": self.value,
            "sentence": self.sentence,
            "chain": [msgspec.to_builtins(link) for link in self.chain],
        }
        return told


class Why:
    """Answers from the changes and traces that are kept."""

    def __init__(self, home: Home, recent: Recent, traces: Traces) -> None:
        self._home = home
        self._recent = recent
        self._traces = traces

    def of(self, name: str) -> Answer:
        """Why an attribute (`lamp.state`), a variable (`$x`) or an entity (`light.hall`) is as it is.

        NotFound: there is none of that name.
        """
        known, value, concerns = self._named(name)
        found = next((change for change in self._recent.newest_first() if concerns(change)), None)
        if found is None:
            link = Link("unknown", "it has not changed since the hub started, or that is too long ago to be remembered")
            return Answer(known, value, (link,), f"{known} is {_shown(value)}: {link.text}")
        chain = tuple(self._chain(found))
        return Answer(known, value, chain, _sentence(known, value, chain))

    # ------------------------------------------------------------------ what is meant

    def _named(self, name: str) -> tuple[str, Value, Callable[[Kept], bool]]:
        plain = name.removeprefix("$")
        device_id, dot, attribute = plain.partition(".")
        if plain in self._home.variables:
            return f"${plain}", self._home.variables.get(plain).value, lambda change: _sets(change, plain)
        device = self._home.devices.get(device_id) if dot else None
        if device is not None and attribute in device.attributes:
            return plain, device.value(attribute), lambda change: _turns(change, device_id, attribute)
        state = self._home.state(plain)
        if state is None and device is not None and device.class_name == REPORTED:
            state = next(iter(filter(None, map(self._home.state, self._home.entities_of(device_id)))), None)
        if state is None:
            raise NotFound(
                f"there is no {name[:60]}: name an attribute as lamp.state, a variable as $x or an entity as light.hall"
            )
        entity_id = state.entity_id
        return entity_id, state.state, lambda change: _shows(change, entity_id)

    # ------------------------------------------------------------------ the chain

    def _chain(self, change: Kept) -> Iterator[Link]:
        yield Link("change", text_of(change), change.at, change.seq, origin=change.context.origin)
        context, at = change.context, change.at
        for _ in range(LONGEST):
            if context.origin.startswith(_RULE):
                rule_id = context.origin.removeprefix(_RULE)
                trace = self._traces.run_at(rule_id, context.cause, at)
                yield self._rule(rule_id, trace)
                if context.cause is None:
                    yield self._beginning(context, trace)
                    return
            elif context.cause is None:
                yield self._beginning(context, None)
                return
            before = self._recent.get(context.cause)
            if before is None:
                yield Link("unknown", f"change {context.cause}, which is no longer remembered", seq=context.cause)
                return
            yield Link("change", text_of(before), before.at, before.seq, origin=before.context.origin)
            context, at = before.context, before.at

    def _rule(self, rule_id: str, trace: Trace | None) -> Link:
        rule = self._home.rules.get(rule_id) if rule_id in self._home.rules else None
        text = f"the rule {rule.name}: {rule.text}" if rule is not None else f"the rule {rule_id}, which is gone"
        if trace is None:
            return Link("rule", text, rule_id=rule_id)
        return Link("rule", text, trace.at, trace.seq, rule_id, trace.id, trace.user)

    def _beginning(self, context: Context, trace: Trace | None) -> Link:
        if context.user:
            # of a rule that was asked for, its trace knows where
            origin = trace.origin if trace is not None and trace.origin else context.origin
            return Link("person", f"{context.user}, through {origin}", user=context.user, origin=origin)
        if trace is not None:
            return Link("time", trace.cause or trace.trigger, trace.at, origin=context.origin)
        kind: Kind = "time" if context.origin.startswith("timer:") else "other"
        return Link(kind, _WORDS.get(context.origin, context.origin), origin=context.origin)


def _sets(change: Kept, name: str) -> bool:
    return isinstance(change, VariableSet) and change.name == name and change.old != change.new


def _turns(change: Kept, device_id: str, attribute: str) -> bool:
    if not isinstance(change, Updated) or change.device_id != device_id or attribute not in change.new:
        return False
    return change.old.get(attribute) != change.new[attribute] or type(change.old.get(attribute)) is not type(
        change.new[attribute]
    )


def _shows(change: Kept, entity_id: str) -> bool:
    states: tuple[StateChange, ...] = () if isinstance(change, Fired) else change.states
    return any(moved.entity_id == entity_id for moved in states)


def _sentence(name: str, value: Value, chain: tuple[Link, ...]) -> str:
    at = chain[0].at
    since = f" since {date_text(at)}" if at is not None else ""
    steps = " ← ".join(link.text for link in chain[1:])
    return f"{name} is {_shown(value)}{since} ← {steps}"


def _shown(value: Value) -> str:
    text = to_text(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


# ---------------------------------------------------------------------- what touches


class Touches(msgspec.Struct, frozen=True):
    """What has to do with a device or variable: ids and names."""

    reading: tuple[str, ...]
    acting: tuple[str, ...]
    groups: tuple[str, ...]
    pages: tuple[str, ...]
    variables: tuple[str, ...]
    entities: tuple[str, ...]


def touches(
    home: Home, name: str, parser: Callable[[str, Home], ParsedRule], read: Mapping[str, Mentions] = NOTHING_READ
) -> Touches:
    """The rules that look at a device or `$variable` or act on it, and what else names it. NotFound: there is none.

    read: what is known already of rules.
    """
    variable = name.removeprefix("$") if name.startswith("$") else ""
    if not variable:
        home.device(name)
    elif variable not in home.variables:
        raise NotFound(f"there is no variable ${variable[:60]}")
    computed = _computed_from(home, name)
    names = {name_of(each) for each in computed} | {("variable", variable) if variable else ("device", name)}
    entities = () if variable else home.entities_of(name)
    names |= {("entity", entity_id) for entity_id in entities}
    mentions = {rule.id: read.get(rule.id) or _mentions(home, rule.text, parser) for rule in home.rules.all()}
    key = variable or name
    members = {group.id: group.variables if variable else group.devices for group in home.groups.all()}
    return Touches(
        tuple(rule_id for rule_id, known in mentions.items() if names & set(known.reads)),
        tuple(rule_id for rule_id, known in mentions.items() if names & set(known.writes)),
        tuple(group_id for group_id, inside in members.items() if key in inside),
        tuple(page.id for page in home.pages.all() if any(each.get("deviceId") == name for each in page.devices)),
        tuple(sorted(computed)),
        tuple(entities),
    )


def _mentions(home: Home, text: str, parser: Callable[[str, Home], ParsedRule]) -> Mentions:
    try:
        return mentions_of(parser(text, home))
    except HallwayError:
        return Mentions(frozenset(), frozenset())  # it cannot be read, so nobody knows what it names


def _computed_from(home: Home, name: str) -> set[str]:
    """The variables and attributes that are computed from it, at any distance."""
    sources = (
        [name.removeprefix("$")]
        if name.startswith("$")
        else [f"{name}.{each}" for each in home.device(name).attributes]
    )
    return {node for node, _formula in home.variables.affected(sources)}
