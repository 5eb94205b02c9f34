"""Actions that tell people something: `log "it is $outside outside"`, `notify "the washing is done"`.

It must not know other kinds of actions.
"""

from __future__ import annotations

from typing import Final

from hallway.home.changes import Context
from hallway.home.home import Home
from hallway.home.notifiers import Notification
from hallway.language.deeds import Deed, Outcome, text_now
from hallway.language.expressions import Expression
from hallway.language.matching import Reader
from hallway.language.registry import ActionKind
from hallway.language.words import words


class Log(Deed, frozen=True):
    """Say a text: whoever carries it out writes it to the log, as the words of what was done."""

    text: Expression

    def announce(self, home: Home) -> str:
        return f'would log "{text_now(self.text, home)}"'

    def run(self, home: Home, context: Context) -> Outcome:
        return Outcome(text_now(self.text, home))


class LogText(ActionKind):
    """`log "text"`."""

    provider = "LogActionProvider"
    begins = ("log",)
    _verb: Final = words("log ")

    def read(self, reader: Reader) -> Deed | None:
        text = reader.expression("text") if reader.take(self._verb) else None
        return Log(text) if text else None


class Notify(Deed, frozen=True):
    """Tell people a text, by every way there is."""

    text: Expression

    def announce(self, home: Home) -> str:
        return f'would notify "{text_now(self.text, home)}"'

    def run(self, home: Home, context: Context) -> Outcome:
        text = text_now(self.text, home)
        return Outcome(text, call=home.notifiers.tell(Notification(text), context), told=True)


class NotifyPeople(ActionKind):
    """`notify "text"`."""

    provider = "NotifyActionProvider"
    begins = ("notify",)
    _verb: Final = words("notify ", quiet=True)

    def read(self, reader: Reader) -> Deed | None:
        text = reader.expression("text") if reader.take(self._verb) else None
        return Notify(text) if text else None
