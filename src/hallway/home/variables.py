"""Variables (`$name`): a value, or an expression over other variables and device attributes.

Expressions form a graph: a change computes what depends on it once, sources first, and a cycle is refused when it is
made. The language itself is given from outside. It must not know devices or entities.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import tzinfo
from types import MappingProxyType
from typing import Protocol

import msgspec

from hallway.errors import Conflict, HallwayError, InvalidInput, NotFound
from hallway.home.orders import rearrange
from hallway.home.values import Attributes, Value

log = logging.getLogger(__name__)

NAME = re.compile(r"[A-Za-z0-9_-]+")
_NUMBER_TEXT = re.compile(r"-?[0-9]+\.?[0-9]*")


class Scope(Protocol):
    """What an expression can look at while it is computed."""

    def value(self, name: str) -> Value: ...
    def unit(self, name: str) -> str: ...
    def now(self) -> float: ...
    def time_zone(self) -> tzinfo: ...
    def random(self) -> float: ...


class Formula(Protocol):
    """A parsed expression."""

    @property
    def text(self) -> str: ...
    @property
    def variables(self) -> frozenset[str]: ...
    def evaluate(self, scope: Scope, /) -> Value: ...
    def unit(self, scope: Scope, /) -> str: ...


class Language(Protocol):
    """Text → formula; `names` are the variables that exist."""

    def __call__(self, text: str, names: Collection[str]) -> Formula: ...


class Variable(msgspec.Struct, frozen=True):
    """A variable: `formula` is None for one that simply holds its value. definition: as it was written, by `source`."""

    name: str
    value: Value = None
    unit: str = ""
    formula: Formula | None = None
    definition: Attributes = {}
    source: str = "store"


def as_value(given: Value) -> Value:
    """What a variable holds when that is set: a text that is a plain number becomes one, unless it is beyond all."""
    if isinstance(given, str) and _NUMBER_TEXT.fullmatch(given):
        number = float(given)
        if not math.isfinite(number):
            return given
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    return given


class Variables:
    """All variables by name, and who has to be computed again when something changes.

    A *node* is whatever is computed: a variable by its name, or a device attribute as `device.attribute`.
    """

    def __init__(self, language: Language | None) -> None:
        self.language = language
        self._all: dict[str, Variable] = {}
        self._formulas: dict[str, Formula] = {}
        self._dependents: dict[str, set[str]] = {}
        self._sources_of_device: dict[str, set[str]] = {}

    def __iter__(self) -> Iterator[Variable]:
        return iter(self._all.values())

    def __contains__(self, name: str) -> bool:
        return name in self._all

    def get(self, name: str) -> Variable:
        """The variable; NotFound otherwise."""
        try:
            return self._all[name]
        except KeyError:
            raise NotFound(f"there is no variable ${name[:60]}") from None

    def find(self, name: str) -> Variable | None:
        """The variable, if there is one."""
        return self._all.get(name)

    def ids(self) -> Collection[str]:
        """The names, as what is put in order."""
        return self._all.keys()

    def names(self) -> Collection[str]:
        return self._all.keys()

    def put(self, variable: Variable) -> Variable | None:
        """Keep a variable, in place of the one of that name; the old one."""
        old = self._all.get(variable.name)
        self._all[variable.name] = variable
        return old

    def remove(self, name: str) -> None:
        """It is gone; what is computed from it keeps its formula."""
        self.bind(name, None)
        del self._all[name]

    def arrange(self, order: tuple[str, ...]) -> None:
        """Put them into that order."""
        rearrange(self._all, order)

    def parse(
        self, node: str, text: str, names: Collection[str], beside: Mapping[str, Formula | None] = MappingProxyType({})
    ) -> Formula:
        """Parse an expression for a node. InvalidInput: not an expression; Conflict: it would depend on itself.

        beside: formulas that other nodes are about to get, in place of those that they have.
        """
        if self.language is None:
            raise InvalidInput("this home has no expression language")
        formula = self.language(text, names)
        path = self._path(node, formula.variables, beside)
        if path:
            raise Conflict(f"${node} would depend on itself: {' → '.join(f'${name}' for name in path)}")
        return formula

    def _path(self, node: str, sources: Iterable[str], beside: Mapping[str, Formula | None]) -> list[str]:
        """The way from a node back to itself over these sources, empty when there is none."""
        ways = [[node, source] for source in sources]
        seen: set[str] = set()
        while ways:
            way = ways.pop()
            if way[-1] == node:
                return way
            if way[-1] in seen:
                continue
            seen.add(way[-1])
            known = beside[way[-1]] if way[-1] in beside else self._formulas.get(way[-1])
            ways += [[*way, source] for source in known.variables] if known else []
        return []

    def bind(self, node: str, formula: Formula | None) -> None:
        """From now on the node is computed by that formula, or no longer."""
        old = self._formulas.pop(node, None)
        for source in old.variables if old else ():
            self._forget(source, node)
        if formula is not None:
            self._formulas[node] = formula
            for source in formula.variables:
                self._dependents.setdefault(source, set()).add(node)
                self._sources_of_device.setdefault(source.partition(".")[0], set()).add(source)

    def _forget(self, source: str, node: str) -> None:
        nodes = self._dependents.get(source, set())
        nodes.discard(node)
        if not nodes:
            self._dependents.pop(source, None)
            self._sources_of_device.get(source.partition(".")[0], set()).discard(source)

    def affected(self, sources: Collection[str], *, itself: bool = False) -> list[tuple[str, Formula]]:
        """What to compute again after these changed, each once, in an order in which every source comes first.

        itself: also those of the sources that are computed.
        """
        order: list[str] = []
        seen: set[str] = set()
        for source in sources:
            self._visit(source, seen, order)
        started = () if itself else sources
        return [(n, self._formulas[n]) for n in reversed(order) if n in self._formulas and n not in started]

    def sources(self) -> Collection[str]:
        """Everything that something depends on."""
        return self._dependents.keys()

    def are_sources(self, names: Iterable[str]) -> bool:
        """Whether anything depends on one of them."""
        return not self._dependents.keys().isdisjoint(names)

    def sources_in(self, device_id: str) -> Collection[str]:
        """The attributes of a device that something depends on."""
        return self._sources_of_device.get(device_id, ())

    def _visit(self, start: str, seen: set[str], order: list[str]) -> None:
        stack: list[tuple[str, bool]] = [(start, False)]
        while stack:
            node, finished = stack.pop()
            if finished:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack += [(dependent, False) for dependent in sorted(self._dependents.get(node, ()))]


def compute(node: str, formula: Formula, scope: Scope) -> Value | msgspec.UnsetType:
    """The formula's value; UNSET, with a line in the log, when it cannot be computed now."""
    try:
        return formula.evaluate(scope)
    except HallwayError as error:
        level = logging.DEBUG if isinstance(error, NotFound) else logging.INFO  # what is not there yet is no news
        log.log(level, "$%s keeps its value, %s cannot be computed: %s", node, formula.text, error)
        return msgspec.UNSET
