"""`hallway revisions`: asks a running hub what was edited, undoes it, and restores what was.

A request is a line of arguments that becomes lines of text. It must not know how revisions are kept.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from hallway.commands.client import Hub, login, whom
from hallway.errors import InvalidInput

Lines = Iterator[str]
Request = Callable[[Hub, argparse.Namespace], Lines]


def number(text: str) -> int:
    """What stands in a command where a number belongs."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number; `hallway revisions list` tells them") from None


def add_options(parser: argparse.ArgumentParser) -> None:
    """What can be wanted, below `hallway revisions`."""
    who = whom()
    requests = parser.add_subparsers(required=True, metavar="REQUEST")

    def request(name: str, ask: Request, text: str) -> argparse.ArgumentParser:
        found = requests.add_parser(name, help=text, description=text, parents=[who])
        found.set_defaults(request=ask, edits=False)
        return found

    listing = request("list", _list, "list what was edited, newest first")
    listing.add_argument("kind", metavar="KIND", nargs="?", help="device, variable, rule, page, group, user …")
    listing.add_argument("id", metavar="ID", nargs="?", help="only this one of that kind")
    listing.add_argument("--limit", type=number, default=20, help="how many at most, up to 100; 20 if it is not given")
    listing.add_argument("--before", type=number, metavar="REVISION", help="only those older than that one")
    listing.add_argument("--act", type=number, metavar="REVISION", help="only what was done in one go with that one")
    show = request("show", _show, "tell everything about one edit")
    show.add_argument("revision", metavar="REVISION", type=number)
    undo = request("undo", _undo, "undo an edit, with all that was done in one go with it")
    undo.add_argument("revision", metavar="REVISION", type=number)
    undo.add_argument("--alone", action="store_true", help="leave the other edits of its act")
    undo.add_argument("--force", action="store_true", help="also what was changed since")
    restore = request("restore", _restore, "make one thing, or the whole home, as it was")
    restore.add_argument("kind", metavar="KIND", nargs="?", help="device, variable, rule, page, group, user …")
    restore.add_argument("id", metavar="ID", nargs="?", help="the one that is meant; the whole home if it is not given")
    then = restore.add_mutually_exclusive_group(required=True)
    then.add_argument("--at", metavar="TIME", help="such as 2026-11-22T18:30, by the clock of the home")
    then.add_argument("--revision", type=number, help="as it was after that revision")
    then.add_argument("--version", type=number, help="that version of the thing")
    restore.add_argument("--force", action="store_true", help="leave alone what nobody knows any more")
    for changing in (undo, restore):
        changing.set_defaults(edits=True)
        changing.add_argument("--dry-run", action="store_true", help="tell what would change and change nothing")


def answers(given: argparse.Namespace) -> Lines:
    """What the hub says. InvalidInput: it cannot be done; Unreachable: the hub does not answer."""
    ask: Request = given.request
    try:
        yield from ask(Hub(given.url, login(given.user)), given)
    except InvalidInput as error:  # the hub names the parameter, which whoever types knows as an option
        raise InvalidInput(error.message.replace("give force ", "give --force ")) from None


def _list(hub: Hub, given: argparse.Namespace) -> Lines:
    wanted = {"kind": given.kind, "id": given.id, "limit": given.limit, "before": given.before, "act": given.act}
    found = hub.ask("GET", "/api/revisions", "revisions", **wanted)
    width = max((len(str(line["revision"])) for line in found), default=0)
    for line in found:
        yield f"{line['revision']:{width}}  {hub.moment(line['time'])}  {_who(line)}  {line['text']}"
        if line["forgotten"]:
            yield f"{'':{width}}  older versions of {line['kind']} {line['id']} are forgotten"
    if not found:
        yield "nothing was edited"


def _show(hub: Hub, given: argparse.Namespace) -> Lines:
    told = hub.ask("GET", f"/api/revisions/{given.revision}", "revision")
    yield f"revision {told['revision']}: {told['text']}"
    yield f"  {hub.moment(told['time'])}, by {_who(told)}; version {told['version']} of {told['kind']} {told['id']}"
    if told["act"] != told["revision"]:
        yield f"  done in one go with revision {told['act']}"
    if not told["current"]:
        yield "  it was changed again since"
    for field in told["fields"]:
        yield f"  {field['field']}"
        for name in ("was", "is"):
            if name in field:
                yield f"    {name:3}  {_shown(field[name])}"
    if not told["fields"]:
        yield f"  {_shown(told['is'] if told['is'] is not None else told['was'])}"


def _undo(hub: Hub, given: argparse.Namespace) -> Lines:
    wanted = {"alone": given.alone, "force": given.force, "dryRun": given.dry_run}
    yield from _done(hub.ask("POST", f"/api/revisions/{given.revision}/undo", "undone", **wanted))


def _restore(hub: Hub, given: argparse.Namespace) -> Lines:
    then = {"at": given.at, "revision": given.revision, "version": given.version}
    wanted = {"kind": given.kind, "id": given.id, "force": given.force, "dryRun": given.dry_run}
    yield from _done(hub.ask("POST", "/api/revisions/restore", "restored", **then, **wanted))


def _done(told: dict[str, Any]) -> Lines:
    """What was changed, or would be."""
    for change in told["changes"]:
        yield change["text"]
    for kind, order in told["orders"].items():
        yield f"{kind}s are in order: {', '.join(order)}"
    for left in told["left"]:
        yield f"left as it is: {left['text']}"
    if told["dryRun"]:
        yield "nothing was changed: this was a dry run"
    elif told["act"] is None:
        yield "nothing was to be changed"
    else:
        yield f"done; hallway revisions undo {told['act']} takes it back"


def _who(line: dict[str, Any]) -> str:
    return f"{line['author'] or 'nobody'} ({line['door']})"


def _shown(value: object) -> str:
    return msgspec.json.encode(value).decode()
