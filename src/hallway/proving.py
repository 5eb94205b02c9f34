"""Whether a home can be built from the files of a directory: with the real store, its configuration and all its values.

Nothing is run: no door, no rule, no timer. It must not know why somebody asks.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from hallway.clock import VirtualClock
from hallway.definitions import load_kept, populate
from hallway.errors import InvalidInput, Unavailable
from hallway.home.home import Home
from hallway.home.saved import restore
from hallway.language.expressions import parse
from hallway.language.kinds import built_in
from hallway.language.rules import RuleParser
from hallway.settings import ConfigurationError, Settings, load
from hallway.store.backup import PROBLEMS
from hallway.store.store import Store

_TALKATIVE: Final = ("hallway.home.saved", "hallway.definitions")


def built(directory: Path) -> Mapping[str, int]:
    """Build the home of a directory; how much of what it has.

    A configuration that cannot be used (a secret is not there, somebody is just editing it) is left out, and counts as
    a problem of the configuration. Unavailable: home.db cannot be opened as it is.
    """
    with _quiet(), asyncio.Runner() as runner:
        return runner.run(_built(directory))


@contextmanager
def _quiet() -> Iterator[None]:
    """What the hub says of its rules and devices at each start is no news of a backup."""
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    for logger in loggers:
        logger.addFilter(_nothing)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(_nothing)


def _nothing(_record: logging.LogRecord) -> bool:
    return False


async def _built(directory: Path) -> Mapping[str, int]:
    store = Store.open(directory, VirtualClock())
    try:
        if store.problem is not None:
            raise Unavailable(store.problem)
        settings, problems = _settings(directory)
        saved = store.saved
        home = Home(
            VirtualClock(),
            language=parse,
            seq=saved.seq,
            kept_ids=dict(saved.kept_ids),
            time_zone=ZoneInfo(settings.home.time_zone if settings else "UTC"),
        )
        home.rules.language = RuleParser(built_in())
        if settings is None:
            load_kept(home, store.definitions)
        else:
            problems += len(populate(home, settings, store.definitions).problems)
        restore(home, saved)
        return {
            "devices": len(home.devices),
            "variables": len(list(home.variables)),
            "rules": len(home.rules.all()),
            "groups": len(home.groups.all()),
            "pages": len(home.pages.all()),
            "people": len(store.definitions("user")),
            "entities": len(list(home.states())),
            PROBLEMS: problems,
        }
    finally:
        await store.close()


def _settings(directory: Path) -> tuple[Settings | None, int]:
    try:
        return load(directory), 0
    except ConfigurationError as error:
        return None, len(error.problems)
    except InvalidInput:
        return None, 1
