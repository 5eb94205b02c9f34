"""`hallway history`: takes away what a running hub keeps of the past, as a file or into a pipe.

It must not know how the past is kept.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hallway import durable
from hallway.commands.client import Hub, login, whom
from hallway.errors import InvalidInput, Unavailable

MESSAGES: Final = "messages"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What can be done, below `hallway history`."""
    deeds = parser.add_subparsers(required=True, metavar="DEED")
    text = "write what attributes, variables and entities were, or the messages, as CSV or JSON lines"
    export = deeds.add_parser("export", help=text, description=text, parents=[whom()])
    export.add_argument(
        "series",
        nargs="*",
        metavar="NAME",
        help=f"lamp.state, '$x', light.hall, or the word {MESSAGES}; all but messages if nothing is given",
    )
    export.add_argument("--after", metavar="TIME", help="such as 2026-11-22 or 2026-11-22T04:00:00Z (UTC if not said)")
    export.add_argument("--before", metavar="TIME", help="likewise")
    export.add_argument("--format", choices=("csv", "jsonl"), help="csv if neither this nor the file's name says it")
    export.add_argument("--output", type=Path, metavar="FILE", help="where to write it, instead of printing it")


def pieces(given: argparse.Namespace) -> Iterator[bytes]:
    """What is to be exported, piece by piece.

    InvalidInput: it cannot be asked so; Unreachable: the hub does not answer, or stopped on the way.
    """
    hub = Hub(given.url, login(given.user))
    names, output = list[str](given.series), given.output
    if MESSAGES in names and len(names) > 1:
        raise InvalidInput(f"{MESSAGES} have columns of their own: export them alone")
    form = given.format or ("jsonl" if output is not None and output.suffix in (".jsonl", ".ndjson") else "csv")
    path = "/api/messages/export" if names == [MESSAGES] else "/api/history/export"
    series = None if not names or names == [MESSAGES] else ",".join(names)
    return hub.take(path, series=series, after=given.after, before=given.before, format=form)


def written(given: argparse.Namespace) -> str:
    """Write it into the file that is given, which is there as a whole or not at all: a sentence about it.

    InvalidInput, Unreachable: as above; Unavailable: the file cannot be written.
    """
    lines = 0
    try:
        with durable.coming(given.output) as new, new.open("r+b") as file:
            for piece in pieces(given):
                lines += piece.count(b"\n")
                file.write(piece)
    except OSError as error:
        raise Unavailable(f"{given.output} cannot be written: {error.strerror}") from None
    return f"{lines} lines are in {given.output}"
