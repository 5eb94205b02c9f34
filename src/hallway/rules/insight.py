"""What the engine knows of its rules, as it is told outside: camel-case names, milliseconds since 1970, and words.

Trials run beside the hub, one at a time. It must not know who asks, nor who may.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from hallway.errors import HallwayError, NotFound, Unavailable
from hallway.home.home import Home
from hallway.home.rules import parts_of
from hallway.home.values import Attributes, Value
from hallway.language.matching import RuleError
from hallway.language.rules import ParsedRule
from hallway.rules.engine import Parser, RuleEngine
from hallway.rules.mentions import Mentions, Name, mentions_of
from hallway.rules.sun import Place
from hallway.rules.traces import Did, Seen, Trace, sentences
from hallway.rules.trying import Trial, Wanted, attempt
from hallway.rules.upcoming import Upcoming
from hallway.rules.why import Answer, Link

MOST_WAITING: Final = 8
"""Trials that may wait for the one that runs."""


class Insight:
    """Answers about the rules of a home. place: where it is, for trials that need the sun."""

    def __init__(self, home: Home, parser: Parser, engine: RuleEngine, place: Place | None = None) -> None:
        self._home = home
        self._parser = parser
        self._engine = engine
        self._place = place
        self._one = asyncio.Semaphore(1)
        self._trials: set[asyncio.Future[Attributes]] = set()

    # ------------------------------------------------------------------ traces

    async def traces(self, rule_id: str, result: str | None, before: int, limit: int) -> list[Attributes]:
        """What a rule did and did not do, newest first; before: only traces with a lower number."""
        self._home.rules.get(rule_id)
        found = await self._engine.remembered.of(rule_id, result, before, limit)
        return [trace_form(trace) for trace in found]

    async def trace(self, trace_id: int) -> Attributes:
        """One trace. NotFound: it is not kept any more."""
        found = await self._engine.remembered.find(trace_id)
        if found is None:
            raise NotFound(f"there is no trace {trace_id}: it was dropped by now, or never made")
        return trace_form(found)

    # ------------------------------------------------------------------ causes

    async def why(self, name: str) -> Attributes:
        """Why an attribute, a variable or an entity is as it is. NotFound: there is none."""
        return why_form(await self._engine.why(name))

    def touches(self, name: str) -> Attributes:
        """What looks at a device, variable or entity, or acts on it. NotFound: there is none."""
        found = self._engine.touches(self._thing(name))
        return {
            "name": name,
            "readingRules": list(found.reading),
            "actingRules": list(found.acting),
            "groups": list(found.groups),
            "pages": list(found.pages),
            "scenes": list(found.scenes),
            "computed": list(found.variables),
            "entities": list(found.entities),
        }

    def _thing(self, name: str) -> str:
        """The device or `$variable` that is meant by the name of one of its attributes or entities."""
        if name in self._home.devices or name.startswith("$"):
            return name
        device_id, dot, attribute = name.partition(".")
        device = self._home.devices.get(device_id)
        if dot and device is not None and attribute in device.attributes:
            return device_id
        if name in self._home.variables:
            return f"${name}"
        owner = next((owner for _id, owner in self._home.entities.owned({name})), None)
        if owner is not None and owner.device is not None:
            return owner.device.id
        if owner is not None and owner.kind == "variable":
            return f"${owner.key.removeprefix('variable:')}"
        raise NotFound(f"there is no {name[:60]}: name a device as lamp, a variable as $x or an entity of one")

    def upcoming(self, days: float) -> list[Attributes]:
        """What rules will do by the clock, in order."""
        return [_upcoming_form(each) for each in self._engine.upcoming(days)]

    # ------------------------------------------------------------------ sentences

    def check(self, text: str) -> Attributes:
        """Whether a sentence is a rule, what is wrong with it and where, and what it names."""
        try:
            sentence = self._parser(text, self._home)
            parts_of(text)
        except RuleError as error:
            return _verdict(None, error.reason, error.position)
        except HallwayError as error:
            return _verdict(None, error.message, 0)
        return _verdict(sentence)

    async def attempt(self, text: str, days: float, again: str) -> Attributes:
        """What a sentence would have done. InvalidInput: it is none; Unavailable: too many are tried already.

        Once begun it goes on even if nobody waits for it any more.
        """
        if len(self._trials) > MOST_WAITING:
            raise Unavailable(f"{len(self._trials)} rules are being tried already; try again in a moment")
        trial = asyncio.ensure_future(self._attempt(text, days, again))
        self._trials.add(trial)
        trial.add_done_callback(self._ended)
        return await asyncio.shield(trial)

    async def _attempt(self, text: str, days: float, again: str) -> Attributes:
        async with self._one:
            wanted = Wanted(text, days, again, self._place)
            return trial_form(await attempt(self._home, self._parser, self._engine.recent, wanted))

    def _ended(self, trial: asyncio.Future[Attributes]) -> None:
        self._trials.discard(trial)
        if not trial.cancelled():
            trial.exception()  # whoever waits for it hears of it; if nobody does any more, nobody has to


# ---------------------------------------------------------------------- forms


def trace_form(trace: Trace) -> Attributes:
    """A trace; `text`: the same in words, line by line."""
    return {
        "id": trace.id,
        "ruleId": trace.rule_id,
        "time": _ms(trace.at),
        "result": trace.result,
        "trigger": trace.trigger,
        "cause": trace.cause,
        "seq": trace.seq,
        "user": trace.user,
        "origin": trace.origin,
        "late": trace.late,
        "reason": trace.reason,
        "predicates": [_seen_form(seen) for seen in trace.seen],
        "actions": [_did_form(did) for did in trace.did],
        "times": trace.times,
        "lastTime": _ms(max(trace.at, trace.last_at)),
        "text": list(sentences(trace)),
    }


def _seen_form(seen: Seen) -> Attributes:
    return {
        "token": seen.token,
        "value": seen.truth,
        "values": seen.values,
        "age": seen.age,
        "triggered": seen.triggered,
        "error": seen.why,
    }


def _did_form(did: Did) -> Attributes:
    return {
        "token": did.token,
        "state": did.state,
        "time": _ms(did.at),
        "text": did.text,
        "due": _ms(did.due),
        "took": did.took,
        "back": _ms(did.back),
    }


def why_form(answer: Answer) -> Attributes:
    """Why something is so; the chain begins with the newest."""
    return {
        "name": answer.name,
        "value": answer.value,
        "sentence": answer.sentence,
        "since": _ms(answer.since),
        "chain": [_link_form(link) for link in answer.chain],
    }


def _link_form(link: Link) -> Attributes:
    return {
        "kind": link.kind,
        "text": link.text,
        "time": _ms(link.at),
        "seq": link.seq,
        "ruleId": link.rule_id,
        "traceId": link.trace,
        "user": link.user,
        "origin": link.origin,
    }


def trial_form(trial: Trial) -> Attributes:
    """What came of a trial, runs and misses in their order; without the numbers of the home in which it was."""
    return {
        "since": _ms(trial.since),
        "until": _ms(trial.until),
        "changes": trial.changes,
        "runs": [_tried_form(trace) for trace in trial.runs],
        "misses": [_tried_form(trace) for trace in trial.misses],
    }


def _tried_form(trace: Trace) -> Attributes:
    return {name: value for name, value in trace_form(trace).items() if name not in ("id", "ruleId", "seq")}


def _upcoming_form(each: Upcoming) -> Attributes:
    return {"time": _ms(each.at), "ruleId": each.rule_id, "kind": each.kind, "text": each.text}


def _verdict(sentence: ParsedRule | None, error: str | None = None, position: int | None = None) -> Attributes:
    names = Mentions(frozenset(), frozenset()) if sentence is None else mentions_of(sentence)
    return {
        "valid": sentence is not None,
        "error": error,
        "position": position,
        "condition": "" if sentence is None else sentence.condition,
        "actions": "" if sentence is None else sentence.actions,
        "reads": _names(names.reads),
        "writes": _names(names.writes),
        "remarks": [] if sentence is None else list(sentence.remarks),
    }


def _names(names: Iterable[Name]) -> list[Value]:
    return [{"kind": kind, "name": name} for kind, name in sorted(names)]


def _ms(at: float | None) -> int | None:
    return None if at is None else round(at * 1000)
