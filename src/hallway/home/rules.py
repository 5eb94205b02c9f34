"""Rules: sentences of the form `when … then …` with a name, switched on or off, shown as `rule.<id>`.

Here they are defined and checked; the language that reads them is given from outside, and whoever runs them listens to
the changes. It must not know what a sentence means.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any, Literal, Protocol, cast, get_args

import msgspec

from hallway.errors import Conflict, HallwayError, InvalidConfiguration, InvalidInput, NotFound
from hallway.home.announcing import START, STORE, Announcer, check_definition, check_editable
from hallway.home.calls import Call
from hallway.home.changes import Context, StateChange
from hallway.home.entities import Entities, Owner
from hallway.home.groups import Groups
from hallway.home.ids import check_rule_id, device_object_id
from hallway.home.orders import rearrange
from hallway.home.values import Attributes, Value, kind_of

_PARTS = re.compile(r"^when\s|\sthen\s")
_KINDER_PARTS = re.compile(r"^\s*when\s|\sthen\s", re.IGNORECASE)
_IF = re.compile(r"^if\s")
MAX_TEXT = 10_000
Again = Literal["ignore", "restart", "queue", "together"]
LATE = 15.0
"""Minutes by which a rule may come too late unless it says otherwise."""
MAX_LATE = 7 * 24 * 60.0


class RuleLanguage(Protocol):
    """Reads a whole sentence; HallwayError when it is no rule in this home. What it returns is its own affair."""

    def __call__(self, text: str, home: Any, /) -> object: ...


class Rule(msgspec.Struct, frozen=True):
    """A rule. valid: the sentence can be read; error: why not; active: it is switched on and valid.

    wanted: it is switched on, valid or not; lost: it was valid until something that it names was renamed or went away.
    again: what a trigger does while it runs, or has just run; late: minutes by which it may come too late, since the
    hub was off or asleep.
    """

    id: str
    name: str
    text: str
    active: bool = True
    logging: bool = True
    valid: bool = True
    error: str | None = None
    condition: str = ""
    actions: str = ""
    wanted: bool = True
    lost: bool = False
    source: str = STORE
    again: Again = "ignore"
    late: float = LATE

    @property
    def config(self) -> Attributes:
        """Its definition."""
        config: Attributes = {
            "id": self.id,
            "name": self.name,
            "rule": self.text,
            "active": self.wanted,
            "logging": self.logging,
        }
        return config | self.chosen

    @property
    def chosen(self) -> Attributes:
        """Those of its settings that pimatic does not have, where they are not what they are by themselves."""
        again: Attributes = {"again": self.again} if self.again != "ignore" else {}
        return again | ({"late": self.late} if self.late != LATE else {})


def parts_of(text: str) -> tuple[str, str]:
    """The condition and the actions of a sentence; InvalidInput when it has not the form of a rule."""
    if len(text) > MAX_TEXT:
        raise InvalidInput(f"a rule of {len(text)} characters is too long: at most {MAX_TEXT}")
    parts = _PARTS.split(text)
    if len(parts) < 3 or parts[0]:  # noqa: PLR2004 - nothing, the condition, the actions
        parts = _KINDER_PARTS.split(text)
    if len(parts) == 3 and not parts[0]:  # noqa: PLR2004 - nothing, the condition, the actions
        return parts[1].strip(), parts[2].strip()
    if len(parts) > 3:  # noqa: PLR2004 - likewise
        raise InvalidInput("a rule has one `when` at its beginning and one ` then `, also within quotes")
    raise InvalidInput("a rule must begin with `when` and go on with ` then `: when its 23:00 then turn lamp off")


def rule_of(config: Attributes, source: str = STORE) -> Rule:
    """A rule from its definition, its sentence not yet read; InvalidConfiguration names what is wrong."""
    rule_id = check_rule_id(config.get("id"))
    check_definition(config)
    name = config.get("name")
    if name is not None and not isinstance(name, str):
        raise InvalidConfiguration(f"rule {rule_id}: name must be a text, not a JSON {kind_of(name)}")
    text = config.get("rule")
    if not isinstance(text, str):
        raise InvalidConfiguration(f"rule {rule_id}: rule must be its sentence, not {kind_of(text)}")
    active, logged = (_flag(rule_id, key, config.get(key)) for key in ("active", "logging"))
    rule = Rule(rule_id, rule_id if name is None else name, text, active, logged, wanted=active, source=source)
    again, late = _again(rule_id, config.get("again")), _late(rule_id, config.get("late"))
    return msgspec.structs.replace(rule, again=again, late=late)


def _again(rule_id: str, value: Value) -> Again:
    if value is None:
        return "ignore"
    if value not in get_args(Again):
        raise InvalidConfiguration(f"rule {rule_id}: again must be one of {', '.join(get_args(Again))}")
    return cast("Again", value)


def _late(rule_id: str, value: Value) -> float:
    if value is None:
        return LATE
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_LATE:
        raise InvalidConfiguration(f"rule {rule_id}: late must be minutes, from 0 (skip what is late) to {MAX_LATE:g}")
    return value


def _flag(rule_id: str, key: str, value: Value) -> bool:
    if value is None:
        return True
    if not isinstance(value, bool):
        raise InvalidConfiguration(f"rule {rule_id}: {key} must be true or false, not {str(value)[:40]!r}")
    return value


class Ruled(Protocol):
    """What rules need of the home they are in."""

    groups: Groups

    def offer_rules(self, context: Context) -> None: ...


class Rules:
    """All rules of a home, in order.

    language: what reads them, None while only their form matters; trigger: lets one do what it does, whatever its
    condition says, None while nothing runs rules.
    """

    def __init__(self, announcer: Announcer, entities: Entities, home: Ruled) -> None:
        self._announcer = announcer
        self._entities = entities
        self._home = home
        self._all: dict[str, Rule] = {}
        self._facts: dict[str, Attributes] = {}
        self.language: RuleLanguage | None = None
        self.trigger: Callable[[str, Context], Call] | None = None

    # ------------------------------------------------------------------ reading

    def __contains__(self, rule_id: str) -> bool:
        return rule_id in self._all

    def all(self) -> list[Rule]:
        return list(self._all.values())

    def ids(self) -> Collection[str]:
        return self._all.keys()

    def arrange(self, order: tuple[str, ...]) -> None:
        """Put them into that order."""
        rearrange(self._all, order)

    def get(self, rule_id: str) -> Rule:
        """The rule; NotFound otherwise."""
        try:
            return self._all[rule_id]
        except KeyError:
            raise NotFound(f"there is no rule {rule_id[:60]}") from None

    # ------------------------------------------------------------------ editing

    def add(self, config: Attributes, context: Context = START, *, force: bool = False) -> Rule:
        """Take a rule into the home. InvalidInput: it is none; Conflict: its id is taken.

        force: keep it with valid=False and its error when the sentence has the form of a rule but cannot be read.
        """
        rule = rule_of(config)
        if rule.id in self._all:
            raise Conflict(f"there is a rule {rule.id} already")
        return self._take_in(self._read(rule, force=force), context)

    def keep(self, config: Attributes, source: str) -> Rule:
        """At start: as `add`, of a rule that was one when it was written: it is kept, readable or not.

        In old homes a rule may begin with `if`, which means `when`.
        """
        rule = rule_of(config, source)
        if rule.id in self._all:
            raise Conflict(f"there is a rule {rule.id} already")
        rule = msgspec.structs.replace(rule, text=_IF.sub("when ", rule.text))
        try:
            rule = self._read(rule, force=True)
        except HallwayError as error:
            rule = msgspec.structs.replace(rule, valid=False, active=False, error=error.message)
        return self._take_in(rule, START)

    def change(self, rule_id: str, config: Attributes, context: Context, *, force: bool = False) -> Rule:
        """Change what the config names: name, rule, active, logging. InvalidInput: the sentence cannot be read.

        force: as in add.
        """
        old = self._editable(rule_id)
        given = {key: value for key, value in config.items() if value is not None}
        rule = rule_of({**old.config, **given, "id": rule_id})
        if rule.text != old.text:
            rule = self._read(rule, force=force)
        else:
            rule = (
                self._read(rule, force=True)
                if old.condition
                else msgspec.structs.replace(rule, valid=False, active=False, error=old.error)
            )
        return self._put(old, rule, context)

    def remove(self, rule_id: str, context: Context) -> Rule:
        """Take a rule out of the home. NotFound: there is none."""
        rule = self._editable(rule_id)
        with self._announcer.act():
            self._home.groups.forget("rule", rule_id, context)
            del self._all[rule_id]
            self._facts.pop(rule_id, None)
            entity_id = self._entities.kept[_key(rule_id)]
            states = (StateChange(entity_id, self._entities.drop(entity_id), None),)
            self._announcer.tell_removed(("rule", rule_id), rule, rule.config, context, rule.source, states)
        return rule

    def read_again(self, context: Context, *, only_invalid: bool = False) -> None:
        """Something came, went or is called otherwise: those whose sentence is read otherwise now say so."""
        if self.language is None:
            return
        for old in self.all():
            if old.condition and not (only_invalid and old.valid):
                rule = self._read(msgspec.structs.replace(old, active=old.wanted), force=True)
                if rule.valid != old.valid:
                    rule = msgspec.structs.replace(rule, lost=not rule.valid)
                    self._put(old, rule, context)

    def show(self, rule_id: str, facts: Attributes, context: Context) -> None:
        """What its entity shows beside its definition: when it ran last, what went wrong then."""
        rule = self._all.get(rule_id)
        if rule is None:
            return
        self._facts[rule_id] = facts
        moved = self._moved(rule)
        if moved:
            self._announcer.tell_shown(_key(rule_id), moved, context)

    # ------------------------------------------------------------------ inside

    def _editable(self, rule_id: str) -> Rule:
        rule = self.get(rule_id)
        check_editable(f"rule {rule_id}", rule.source)
        return rule

    def _read(self, rule: Rule, *, force: bool) -> Rule:
        condition, actions = parts_of(rule.text)
        rule = msgspec.structs.replace(rule, condition=condition, actions=actions, valid=True, error=None, lost=False)
        if self.language is None:
            return rule
        try:
            self.language(rule.text, self._home)
        except HallwayError as error:
            if not force:
                raise
            return msgspec.structs.replace(rule, valid=False, active=False, error=error.message)
        return rule

    def _take_in(self, rule: Rule, context: Context) -> Rule:
        self._home.offer_rules(context)
        self._all[rule.id] = rule
        self._entities.claim(Owner("rule", _key(rule.id)), "rule", device_object_id(rule.id))
        self._announcer.tell(("rule", rule.id), (None, rule.config), context, rule.source, self._moved(rule))
        return rule

    def _put(self, old: Rule, rule: Rule, context: Context) -> Rule:
        rule = msgspec.structs.replace(rule, source=old.source)
        self._all[rule.id] = rule
        bodies = (old.config, rule.config)
        self._announcer.tell(("rule", rule.id), bodies, context, rule.source, self._moved(rule))
        return rule

    def _moved(self, rule: Rule) -> tuple[StateChange, ...]:
        attributes: Attributes = {"friendly_name": rule.name or rule.id, "rule": rule.text}
        if rule.error is not None:
            attributes["error"] = rule.error
        if rule.id in self._facts:
            attributes |= self._facts[rule.id]
        return self._entities.show(_key(rule.id), "on" if rule.active else "off", attributes, self._announcer.now())


def _key(rule_id: str) -> str:
    return f"rule:{rule_id}"
