"""Why something is as it is: the chain of causes from a value back to a person, a client, a device or a time.

As data and as a sentence. And what touches a device: the rules, groups, pages and variables that look at it or act on
it. It must not know doors.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

import msgspec

from hallway.errors import HallwayError, NotFound
from hallway.home.changes import Context, Fired, StateChange, Updated, VariableSet
from hallway.home.classes import REPORTED
from hallway.home.dates import date_text
from hallway.home.home import Home
from hallway.home.recorded import Recorded, cut, turned
from hallway.home.values import Value, same
from hallway.language.coercion import to_text
from hallway.language.rules import ParsedRule
from hallway.rules.causes import text_of
from hallway.rules.mentions import Mentions, mentions_of, name_of
from hallway.rules.recent import Recent
from hallway.rules.remembered import Remembered
from hallway.rules.traces import Trace

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
    """Why something is so: its value, the chain of causes (newest first), and all of that as a sentence.

    since: from when on changes are known, in seconds since 1970.
    """

    name: str
    value: Value
    chain: tuple[Link, ...]
    sentence: str
    since: float


class _Meant(NamedTuple):
    """What was asked for: its name and value, the key of changes of it (`keys_of`), and which of these count."""

    name: str
    value: Value
    key: str
    concerns: Callable[[Recorded], bool]


class Why:
    """Answers from the changes and traces that are kept."""

    def __init__(self, home: Home, recent: Recent, traces: Remembered) -> None:
        self._home = home
        self._recent = recent
        self._traces = traces

    async def of(self, name: str) -> Answer:
        """Why an attribute (`lamp.state`), a variable (`$x`) or an entity (`light.hall`) is as it is.

        NotFound: there is none of that name.
        """
        meant = self._named(name)
        since = await self._recent.since()
        found = await self._recent.newest(meant.key, meant.concerns)
        if found is None:
            return _unknown(
                meant, f"no change of it is recorded since {date_text(since)}, and what was before is not known", since
            )
        if not self._leads_to(found, meant):
            return _unknown(
                meant,
                "how it became so is not known: when it changed last that was not recorded, as happens right before a "
                f"sudden end; of {date_text(found.at)} there is another value",
                since,
            )
        chain = tuple([link async for link in self._chain(found)])
        return Answer(meant.name, meant.value, chain, _sentence(meant.name, meant.value, chain), since)

    def _leads_to(self, change: Recorded, meant: _Meant) -> bool:
        """Whether a thing still is as its newest change left it, as far as that is recorded."""
        if isinstance(change, VariableSet):
            variable = self._home.variables.find(change.name)
            return variable is None or cut(variable.value) == change.new
        if not isinstance(change, Updated):
            return True
        name = meant.key.partition(":")[2]
        attribute = name.removeprefix(f"{change.device_id}.")
        if attribute in change.new:
            return cut(meant.value) == change.new[attribute]
        told = next((moved.new for moved in change.states if moved.entity_id == name), None)
        if told is not None:
            return cut(meant.value) == told.state
        device = self._home.devices.get(change.device_id)
        if device is None:
            return True
        moved = [each for each in change.new if each in device.attributes and turned(change, each)]
        return not moved or any(cut(device.value(each)) == change.new[each] for each in moved)

    # ------------------------------------------------------------------ what is meant

    def _named(self, name: str) -> _Meant:
        plain = name.removeprefix("$")
        device_id, dot, attribute = plain.partition(".")
        if plain in self._home.variables:
            value = self._home.variables.get(plain).value
            return _Meant(f"${plain}", value, f"moved:${plain}", lambda change: _sets(change, plain))
        device = self._home.devices.get(device_id) if dot else None
        if device is not None and attribute in device.attributes:
            value = device.value(attribute)
            return _Meant(plain, value, f"moved:{plain}", lambda change: _turns(change, device_id, attribute))
        state = self._home.state(plain)
        if state is None and device is not None and device.class_name == REPORTED:
            state = next(iter(filter(None, map(self._home.state, self._home.entities_of(device_id)))), None)
        if state is None:
            raise NotFound(
                f"there is no {name[:60]}: name an attribute as lamp.state, a variable as $x or an entity as light.hall"
            )
        entity_id = state.entity_id
        return _Meant(entity_id, state.state, f"entity:{entity_id}", lambda change: _shows(change, entity_id))

    # ------------------------------------------------------------------ the chain

    async def _chain(self, change: Recorded) -> AsyncIterator[Link]:
        yield Link("change", text_of(change), change.at, change.seq, origin=change.context.origin)
        context, at = change.context, change.at
        for _ in range(LONGEST):
            trace = None
            if context.origin.startswith(_RULE):
                rule_id = context.origin.removeprefix(_RULE)
                trace = await self._traces.run_at(rule_id, context.cause, at)
                yield self._rule(rule_id, trace)
                if context.cause is None:
                    yield self._beginning(context, trace)
                    return
            elif context.cause is None:
                yield self._beginning(context, None)
                return
            before = await self._recent.get(context.cause, at)
            if before is None:
                for link in self._forgotten(context, trace):
                    yield link
                return
            yield Link("change", text_of(before), before.at, before.seq, origin=before.context.origin)
            context, at = before.context, before.at

    def _rule(self, rule_id: str, trace: Trace | None) -> Link:
        rule = self._home.rules.get(rule_id) if rule_id in self._home.rules else None
        text = f"the rule {rule.name}: {rule.text}" if rule is not None else f"the rule {rule_id}, which is gone"
        if trace is None:
            return Link("rule", text, rule_id=rule_id)
        return Link("rule", text, trace.at, trace.seq, rule_id, trace.id, trace.user)

    def _forgotten(self, context: Context, trace: Trace | None) -> Iterator[Link]:
        """A change that is not kept: the trace of the rule that it started has it in words, and who was behind it."""
        if trace is not None and trace.seq == context.cause:
            yield Link("change", trace.cause, trace.at, trace.seq)
        else:
            yield Link("unknown", f"change {context.cause}, which is no longer remembered", seq=context.cause)
        if context.user:
            yield self._beginning(context, trace)

    def _beginning(self, context: Context, trace: Trace | None) -> Link:
        if context.user:
            # of a rule that was asked for, its trace knows where
            origin = trace.origin if trace is not None and trace.origin else context.origin
            if origin.startswith(_RULE):
                return Link("person", context.user, user=context.user)
            return Link("person", f"{context.user}, through {origin}", user=context.user, origin=origin)
        if trace is not None:
            return Link("time", trace.cause or trace.trigger, trace.at, origin=context.origin)
        kind: Kind = "time" if context.origin.startswith("timer:") else "other"
        return Link(kind, _WORDS.get(context.origin, context.origin), origin=context.origin)


def _unknown(meant: _Meant, text: str, since: float) -> Answer:
    sentence = f"{meant.name} is {_shown(meant.value)}: {text}"
    return Answer(meant.name, meant.value, (Link("unknown", text),), sentence, since)


def _sets(change: Recorded, name: str) -> bool:
    return isinstance(change, VariableSet) and change.name == name and not same(change.old, change.new)


def _turns(change: Recorded, device_id: str, attribute: str) -> bool:
    return isinstance(change, Updated) and change.device_id == device_id and turned(change, attribute)


def _shows(change: Recorded, entity_id: str) -> bool:
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
    scenes: tuple[str, ...] = ()


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
    shown = _entity_of(home, variable) if variable else entities
    scenes = tuple(scene.id for scene in home.scenes.all() if any(entity_id in scene.members for entity_id in shown))
    names |= {("entity", entity_id) for entity_id in (*entities, *_entities_of_scenes(home, scenes))}
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
        scenes,
    )


def _entity_of(home: Home, variable: str) -> tuple[str, ...]:
    entity_id = home.entities.kept.get(f"variable:{variable}")
    return () if entity_id is None else (entity_id,)


def _entities_of_scenes(home: Home, scenes: tuple[str, ...]) -> Iterator[str]:
    """Whoever brings a scene about acts on what is in it."""
    for scene_id in scenes:
        yield home.entities.kept[f"scene:{scene_id}"]


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
