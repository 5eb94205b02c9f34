"""Actions on variables: `set $wanted to $outside + 2`, `$greeting := "hello $name"`.

It must not know other kinds of actions.
"""

from __future__ import annotations

from typing import Final

from hallway.home.changes import Context
from hallway.home.home import Home
from hallway.language.coercion import to_text
from hallway.language.deeds import Deed, HomeScope, Outcome
from hallway.language.expressions import Expression
from hallway.language.matching import Reader
from hallway.language.registry import ActionKind
from hallway.language.words import words


class SetTo(Deed, frozen=True):
    """Give a variable the value that an expression has then."""

    name: str
    value: Expression

    def announce(self, home: Home) -> str:
        return f"would set ${self.name} to {self.value.text}"

    def run(self, home: Home, context: Context) -> Outcome:
        value = self.value.evaluate(HomeScope(home))
        home.set_variable(self.name, value, context)
        return Outcome(f"${self.name} set to {to_text(value)}")


class SetVariable(ActionKind):
    """`set $name to expression`; `set` may be missing."""

    provider = "SetVariableActionProvider"
    begins = ("set", "$")
    _verb: Final = words("set ")
    _to: Final = words(" to ", " := ", " = ")

    def read(self, reader: Reader) -> Deed | None:
        reader.take(self._verb)
        name = reader.variable(settable=True)
        value = reader.expression("any") if name and reader.take(self._to) else None
        return SetTo(name, value) if name and value else None
