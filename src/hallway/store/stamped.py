"""Names of files with a moment in them: the stamp, and the first name that is free.

It must not know what the files hold.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from pathlib import Path


def stamp(now: float) -> str:
    """A moment as it stands in the name of a file, in UTC."""
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}"


def free(folder: Path, begin: str, *ends: str) -> Path:
    """The name with the first of these ends, or with -2, -3, … before it: there is no file of it with any of them."""
    names = itertools.chain([begin], (f"{begin}-{number}" for number in itertools.count(2)))
    name = next(name for name in names if not any((folder / f"{name}{end}").exists() for end in ends))
    return folder / f"{name}{ends[0]}"
