"""Files of a move: a text that comes in, one that nobody else may read, and the time zone of this machine.

It must not know what stands in them.
"""

from __future__ import annotations

import os
from pathlib import Path
from zoneinfo import available_timezones

from hallway import durable
from hallway.errors import InvalidInput, Unavailable

MAX_FILE = 64 * 2**20
ETC = Path("/etc")


def read_text(path: Path) -> str:
    """The text of a file; InvalidInput says why it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise InvalidInput(f"it cannot be read: {error.strerror}") from None
    if len(data) > MAX_FILE:
        raise InvalidInput(f"it is larger than {MAX_FILE >> 20} MB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidInput(f"byte 0x{data[error.start]:02x} in line {line} is not UTF-8; save it as UTF-8") from None


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody else may read, as a whole or not at all. Unavailable: the disk refuses."""
    try:
        durable.write(path, text.encode())
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}") from None


def local_time_zone(etc: Path = ETC) -> str:
    """The time zone by which programs on this machine live; UTC when it cannot be found."""
    candidates = [os.environ.get("TZ", "").removeprefix(":")]
    try:
        candidates.append(str((etc / "localtime").readlink()).rpartition("zoneinfo/")[2])
    except OSError:
        candidates.append("")
    try:
        candidates.append((etc / "timezone").read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError):
        candidates.append("")
    known = available_timezones()
    return next((name for name in candidates if name in known), "UTC")
