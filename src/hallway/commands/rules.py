"""`hallway rule`: asks a running hub about its rules, as a client of its API, and writes the answers for people.

A question is a line of arguments that becomes lines of text. It must not know how rules are read or run.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import msgspec

from hallway.commands.client import Hub, login, whom
from hallway.errors import InvalidInput

Lines = Iterator[str]


# ---------------------------------------------------------------------- command line


def add_options(parser: argparse.ArgumentParser) -> None:
    """What can be asked, below `hallway rule`."""
    who = whom()
    questions = parser.add_subparsers(required=True, metavar="QUESTION")

    def question(name: str, ask: Question, text: str) -> argparse.ArgumentParser:
        found = questions.add_parser(name, help=text, description=text, parents=[who])
        found.set_defaults(question=ask)
        return found

    question("list", _list, "list all rules and whether they run")
    check = question("check", _check, "tell whether a sentence is a rule, or what is wrong with it and where")
    check.add_argument("sentence", metavar="SENTENCE", help="when … then …; quote it for your shell")
    attempt = question("try", _try, "tell when a rule would have run lately and what it would have done")
    what = attempt.add_mutually_exclusive_group(required=True)
    what.add_argument("sentence", metavar="SENTENCE", nargs="?", help="when … then …")
    what.add_argument("--id", metavar="RULE", help="or the id of a rule that there is")
    attempt.add_argument("--days", type=float, default=7.0, help="how far back, up to 28; 7 if it is not given")
    attempt.add_argument("--again", metavar="HOW", help="ignore, restart, queue or together, as in docs/time.md")
    why = question("why", _why, "tell why something is as it is")
    why.add_argument(
        "name", metavar="NAME", help="an attribute (lamp.state), a variable ('$x') or an entity (light.hall)"
    )
    touches = question("touches", _touches, "list what looks at something or acts on it")
    touches.add_argument("name", metavar="NAME", help="a device, a variable ('$x') or an entity")
    trace = question("trace", _trace, "tell what a rule did and why, or why not, newest first")
    trace.add_argument("rule", metavar="RULE", help="id of the rule")
    trace.add_argument("--limit", type=int, default=10, help="how many at most, up to 150; 10 if it is not given")
    trace.add_argument("--result", metavar="RESULT", help="only those that ended so: ran, 'condition false', ignored …")
    upcoming = question("upcoming", _upcoming, "list what rules will do by the clock")
    upcoming.add_argument("--days", type=float, default=1.0, help="how far ahead, up to 28; 1 if it is not given")


def answers(given: argparse.Namespace) -> Lines:
    """What the hub says to a question. InvalidInput: it cannot be asked so; Unreachable: the hub does not answer."""
    ask: Question = given.question
    return ask(Hub(given.url, login(given.user)), given)


# ---------------------------------------------------------------------- questions

Question = Callable[[Hub, argparse.Namespace], Lines]


def _list(hub: Hub, _given: argparse.Namespace) -> Lines:
    rules = hub.ask("GET", "/api/rules", "rules")
    width = max((len(rule["id"]) for rule in rules), default=0)
    for rule in rules:
        state = "on " if rule["active"] else "off" if rule["valid"] else "bad"
        yield f"{state}  {rule['id']:{width}}  {rule['string']}"
        if not rule["valid"]:
            reason = rule["error"] or "it names something that is gone"
            yield f"     {'':{width}}  {reason}"
    if not rules:
        yield "there are no rules"


def _check(hub: Hub, given: argparse.Namespace) -> Lines:
    verdict = hub.ask("POST", "/api/rules-parser/check", "check", ruleString=given.sentence)
    if not verdict["valid"]:
        raise InvalidInput("\n  ".join(marked(given.sentence, verdict["position"], verdict["error"])))
    yield "it is a rule"
    for title, names in (("looks at", verdict["reads"]), ("acts on", verdict["writes"])):
        if names:
            yield f"  {title} {', '.join(_named(name) for name in names)}"
    for remark in verdict["remarks"]:
        yield f"  but {remark}"


def marked(sentence: str, position: int, error: str) -> Lines:
    """A sentence with a mark under the place where it goes wrong, and what is wrong there."""
    yield "that is no rule:"
    yield "".join(" " if sign.isspace() else sign for sign in sentence)
    while position < len(sentence.rstrip()) and sentence[position].isspace():
        position += 1
    yield " " * position + "^"
    yield error


def _named(name: dict[str, str]) -> str:
    return f"${name['name']}" if name["kind"] == "variable" else f"{name['kind']} {name['name']}"


def _try(hub: Hub, given: argparse.Namespace) -> Lines:
    what = {"ruleString": given.sentence, "ruleId": given.id, "days": given.days, "again": given.again}
    trial = hub.ask("POST", "/api/try-rule", "trial", **what)
    lasted = str(timedelta(seconds=(trial["until"] - trial["since"]) // 1000))
    concerned = _count(trial["changes"], "change")
    yield f"tried on what happened since {hub.moment(trial['since'])} ({lasted}): {concerned} of what it names"
    yield f"it would have run {_count(len(trial['runs']), 'time')}{':' if trial['runs'] else ''}"
    yield from _told(hub, trial["runs"], "  ")
    if trial["misses"]:
        yield f"and would not have run {_count(len(trial['misses']), 'time')} though something started it:"
        yield from _told(hub, trial["misses"], "  ")


def _why(hub: Hub, given: argparse.Namespace) -> Lines:
    told = hub.ask("GET", "/api/why", "why", name=given.name)
    newest, *causes = told["chain"]
    if not newest["text"].startswith(f"{told['name']} is "):
        yield f"{told['name']} is {_shown(told['value'])}"
    yield f"{newest['text']}{_when(hub, newest)}"
    for depth, link in enumerate(causes, 1):
        yield f"{'  ' * depth}because of {link['text']}{_when(hub, link)}"


def _touches(hub: Hub, given: argparse.Namespace) -> Lines:
    told = hub.ask("GET", "/api/touches", "touches", name=given.name)
    titles = {
        "readingRules": "rules that look at it",
        "actingRules": "rules that act on it",
        "groups": "groups",
        "pages": "pages",
        "scenes": "scenes",
        "computed": "computed from it",
        "entities": "its entities",
    }
    for key, title in titles.items():
        if told[key]:
            yield f"{title}: {', '.join(told[key])}"
    if not any(told[key] for key in titles):
        yield f"nothing touches {told['name']}"


def _trace(hub: Hub, given: argparse.Namespace) -> Lines:
    path = f"/api/rules/{quote(given.rule, safe='')}/traces"
    traces = hub.ask("GET", path, "traces", limit=given.limit, result=given.result)
    yield from _told(hub, traces, "")
    if not traces:
        yield f"nothing is known of {given.rule}: nothing has started it for as long as traces are kept"


def _upcoming(hub: Hub, given: argparse.Namespace) -> Lines:
    coming = hub.ask("GET", "/api/upcoming", "upcoming", days=given.days)
    words = {"lasting": "has lasted long enough: ", "later": "later: ", "back": "is put back: "}
    for each in coming:
        yield f"{hub.moment(each['time'])}  {each['ruleId']}: {words.get(each['kind'], '')}{each['text']}"
    if not coming:
        yield "nothing that is known by now"


# ---------------------------------------------------------------------- words


def _told(hub: Hub, traces: Iterable[dict[str, Any]], indent: str) -> Lines:
    for trace in traces:
        number = f"  #{trace['id']}" if "id" in trace else ""
        often = (
            f", {_count(trace['times'], 'time')} up to {hub.moment(trace['lastTime'])}" if trace["times"] > 1 else ""
        )
        first, *rest = trace["text"]
        yield f"{indent}{hub.moment(trace['time'])}{number}  {first}{often}"
        for line in rest:
            yield f"{indent}  {line}"


def _when(hub: Hub, link: dict[str, Any]) -> str:
    return "" if link["time"] is None else f" ({hub.moment(link['time'])})"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _shown(value: object) -> str:
    return msgspec.json.encode(value).decode()
