"""What is wrong with the disk just now, said in the log once a minute and kind, and once when it is over.

It must not know what is done about it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from hallway.clock import Clock

log = logging.getLogger(__name__)

SAY_AGAIN_AFTER = 60.0
DATABASE = "home.db"
REDO_LOG = "redo log"
DAMAGE = "damage of home.db"
SYNC = "disk under the redo log"


class Troubles:
    """The troubles that hold, by kind."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._holding: dict[str, str] = {}
        self._said: dict[str, float] = {}
        self._open: set[str] = set()
        self.listener: Callable[[str, bool], None] = lambda _sentence, _holds: None
        """Hears what is said in the log, and whether it holds or is over."""

    @property
    def first(self) -> str | None:
        """The one that has held longest, as a sentence."""
        return next(iter(self._holding.values()), None)

    def report(self, kind: str, sentence: str) -> bool:
        """This holds now; whether it was said, too."""
        self._holding[kind] = sentence
        now = self._clock.monotonic()
        if kind not in self._said or now - self._said[kind] >= SAY_AGAIN_AFTER:
            self._said[kind] = now
            self._open.add(kind)
            log.error("%s", sentence)
            self.listener(sentence, True)
            return True
        return False

    def forget(self, kind: str) -> None:
        """It was said, and needs not be shown any longer."""
        self._holding.pop(kind, None)
        self._open.discard(kind)

    def ended(self, kind: str, sentence: str) -> None:
        """It holds no longer, and what became of it is to be said once, as loudly as the trouble."""
        self._holding.pop(kind, None)
        self._open.discard(kind)
        log.error("%s", sentence)
        self.listener(sentence, True)

    def over(self, kind: str) -> None:
        """It holds no longer."""
        self._holding.pop(kind, None)
        if kind in self._open:
            self._open.discard(kind)
            log.warning("the %s can be written again", kind)
            self.listener(f"the {kind} can be written again", False)
