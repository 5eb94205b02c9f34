"""What the actions of a rule mean, as data that can be carried out at once, announced, and taken back.

A deed does what it does through the home, in one step. When and how often is decided elsewhere. It must not know how
sentences are written.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import tzinfo

import msgspec

from hallway.errors import InvalidInput, NotFound, NoValueYet
from hallway.home.calls import Call
from hallway.home.changes import Context
from hallway.home.devices import NOTHING
from hallway.home.home import Home
from hallway.home.values import Attributes, Value
from hallway.language.coercion import to_number, to_text
from hallway.language.durations import Duration
from hallway.language.evaluation import UNDEFINED, ExpressionError, Result
from hallway.language.expressions import Expression


class HomeScope:
    """A home as expressions see it."""

    __slots__ = ("_home",)

    def __init__(self, home: Home) -> None:
        self._home = home

    def value(self, name: str) -> Result:
        variable = self._home.variables.find(name)
        if variable is not None:
            return variable.value
        try:
            return self._home.value(name)
        except NoValueYet:
            return UNDEFINED
        except NotFound as error:
            raise ExpressionError(error.message) from None

    def unit(self, name: str) -> str:
        return self._home.unit(name)

    def now(self) -> float:
        return self._home.now()

    def time_zone(self) -> tzinfo:
        return self._home.time_zone()

    def random(self) -> float:
        return self._home.random()


class Undo(msgspec.Struct, frozen=True):
    """An action of a device that takes back a deed; plain data, so that it survives a restart."""

    device_id: str
    action: str
    arguments: Mapping[str, Value] = NOTHING
    text: str = ""

    def run(self, home: Home, context: Context) -> None:
        """Take it back."""
        home.act(self.device_id, self.action, self.arguments, context)


class Outcome(msgspec.Struct, frozen=True):
    """What was done, in words; how it can be taken back; and what is still under way, if it takes time.

    told: the words have been told to people already, who need not hear them again.
    """

    text: str
    undo: Undo | None = None
    call: Call | None = None
    told: bool = False


class Deed(msgspec.Struct, frozen=True):
    """Base of all deeds."""

    @property
    def lasts(self) -> bool:
        """Whether it can be done `for` some time and then be taken back."""
        return False

    def announce(self, home: Home) -> str:
        """What would be done, in words."""
        raise NotImplementedError

    def run(self, home: Home, context: Context) -> Outcome:
        """Do it. The errors are those of the home, and ExpressionError; then nothing has changed."""
        raise NotImplementedError


class DeviceDeed(Deed, frozen=True):
    """An action of a device with fixed arguments.

    done, to_do: words with {name} for the device's name; counter: what takes it back, if anything does.
    """

    device_id: str
    action: str
    arguments: Mapping[str, Value]
    done: str
    to_do: str
    counter: Undo | None = None

    @property
    def lasts(self) -> bool:
        return self.counter is not None

    def announce(self, home: Home) -> str:
        return self.to_do.replace("{name}", home.device(self.device_id).name)

    def run(self, home: Home, context: Context) -> Outcome:
        name = home.device(self.device_id).name
        undo = self.counter and msgspec.structs.replace(self.counter, text=self.counter.text.replace("{name}", name))
        home.act(self.device_id, self.action, self.arguments, context)
        return Outcome(self.done.replace("{name}", name), undo)


def undo_of(home: Home, device_id: str, action: str, arguments: Mapping[str, Value], attribute: str) -> Undo | None:
    """The same action with the present value of an attribute; None when it has none."""
    before = home.device(device_id).value(attribute) if attribute else None
    if before is None:
        return None
    text = f"{home.device(device_id).name} put back to {to_text(before)}"
    return Undo(device_id, action, dict.fromkeys(arguments, before), text)


def number_now(expression: Expression, home: Home) -> int | float:
    """What an expression is worth now, which must be a finite number."""
    value = expression.evaluate(HomeScope(home))
    number = to_number(value)
    if not math.isfinite(number) or isinstance(value, bool):
        raise InvalidInput(f"{expression.text} must be a number, it is {to_text(value)[:40]}")
    return value if isinstance(value, int | float) else number


def text_now(expression: Expression, home: Home) -> str:
    """What an expression reads now."""
    return to_text(expression.evaluate(HomeScope(home)))


class Action(msgspec.Struct, frozen=True):
    """One action of a rule: what is done, after how long (`after`), and for how long (`for`)."""

    id: str
    token: str
    deed: Deed
    provider: str
    after: Duration | None = None
    duration: Duration | None = None

    def as_json(self) -> Attributes:
        """As pimatic shows it."""
        return {
            "id": self.id,
            "token": self.token,
            "after": self.after.as_json() if self.after else None,
            "for": self.duration.as_json() if self.duration else None,
        }
