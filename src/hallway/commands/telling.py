"""How a command speaks: to a reader who may go away, to a disk that may be full, to nobody at all.

Words about work do not stop the work; where the words are what was asked for, their end is its end. It must not know
what is told.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Generator, Iterable
from pathlib import Path

from hallway.errors import Unavailable


def have_streams() -> None:
    """To be called first. What is closed leads nowhere, else a file that is opened later would be taken for it.

    What the terminal cannot show is shown in another way.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)  # the lowest free number is this one
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def tell(lines: Iterable[str]) -> None:
    """Print each line as it comes. What brings them is done to its end, whether somebody reads them or not.

    Ctrl-C reaches what brings the lines also while one is printed, so that it can say what was done.
    """
    try:
        for line in lines:
            say(f"{line}\n")
    except KeyboardInterrupt as stopped:
        if isinstance(lines, Generator):
            lines.throw(stopped)
        raise


def show(lines: Iterable[str]) -> None:
    """Print the lines that were asked for; when nobody reads any more, that is the end. Unavailable: as hand_out."""
    hand_out(f"{line}\n" for line in lines)


def hand_out(pieces: Iterable[bytes] | Iterable[str]) -> None:
    """Print what was asked for, bytes as they are; when nobody reads any more, that is the end.

    Unavailable: it cannot be printed.
    """
    if sys.stdout is None:
        raise Unavailable("it cannot be printed: the standard output is closed")
    for piece in pieces:
        try:
            if isinstance(piece, str):
                print(piece, end="", flush=True)  # noqa: T201 - this is where commands speak
            else:
                sys.stdout.buffer.write(piece)
                sys.stdout.buffer.flush()
        except BrokenPipeError:
            be_silent()
            return
        except OSError as error:
            be_silent()
            raise Unavailable(f"it cannot be printed: {error.strerror or error}") from None


def say(text: str) -> None:
    """Print it; whoever has gone away is not spoken to any more."""
    try:
        print(text, end="", flush=True)  # noqa: T201 - this is where commands speak
    except BrokenPipeError:
        be_silent()
    except OSError as error:
        be_silent()
        complain(f"hallway: what is done cannot be printed: {error.strerror or error}")


def complain(text: str) -> None:
    """A line for people about what is wrong, or on the way."""
    if sys.stderr is not None:  # else it would be printed among what was asked for
        with contextlib.suppress(OSError):
            print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is where commands speak


def be_silent() -> None:
    """What is printed from now on, or waits to be, goes nowhere."""
    if sys.stdout is not None:
        with contextlib.suppress(OSError, ValueError), Path(os.devnull).open("r+b", buffering=0) as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
