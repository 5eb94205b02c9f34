"""What kinds of predicates and actions there are: one small class each, listed in a registry that never changes.

Whoever has more kinds makes a registry out of this one and his own. It must not know any kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar, Generic, TypeVar

import msgspec

from hallway.home.values import Attributes
from hallway.language.conditions import Test
from hallway.language.deeds import Deed
from hallway.language.matching import Reader

KindT = TypeVar("KindT", bound="PredicateKind | ActionKind")


class Preset(msgspec.Struct, frozen=True):
    """A predicate to begin with, in a form: what it is called and how it reads."""

    name: str
    input: str


class PredicateKind:
    """One kind of predicate. `provider` is what pimatic calls it.

    begins: the first words of all its sentences, in small letters; empty when they begin with names of the home or
    values. opens: a pattern that all its sentences begin with, if there is one that tells them apart: where it does not
    match, the kind is not tried, which is what keeps reading quick. `read` reads a sentence from the place of the
    reader; None when there is none (the reader may then stand anywhere).
    """

    provider: ClassVar[str]
    begins: ClassVar[tuple[str, ...]] = ()
    opens: ClassVar[re.Pattern[str] | None] = None
    presets: ClassVar[tuple[Preset, ...]] = ()

    def read(self, reader: Reader) -> Test | None:
        """A test, if one stands here."""
        raise NotImplementedError


class ActionKind:
    """One kind of action; like PredicateKind."""

    provider: ClassVar[str]
    begins: ClassVar[tuple[str, ...]] = ()
    opens: ClassVar[re.Pattern[str] | None] = None

    def read(self, reader: Reader) -> Deed | None:
        """A deed, if one stands here."""
        raise NotImplementedError


class Kinds(Generic[KindT]):
    """Kinds in order, found quickly by the first word of a text."""

    __slots__ = ("_by_word", "_others", "all")

    def __init__(self, kinds: Iterable[KindT]) -> None:
        self.all = tuple(kinds)
        self._others = tuple(kind for kind in self.all if not kind.begins)
        heads = {word for kind in self.all for word in kind.begins}
        self._by_word: Mapping[str, tuple[KindT, ...]] = MappingProxyType(
            {head: tuple(kind for kind in self.all if not kind.begins or head in kind.begins) for head in heads}
        )

    def at(self, reader: Reader) -> Sequence[KindT]:
        """The kinds that can stand at the reader's place: all of them where an unfinished text may go on."""
        if reader.hints is not None or reader.lenient or reader.wild:
            return self.all
        text, start = reader.text, reader.at
        space = text.find(" ", start)
        head = text[start : space if space >= 0 else None].lower()
        likely = self._by_word.get(head) or self._by_word.get(head[:1]) or self._others
        return [kind for kind in likely if kind.opens is None or kind.opens.match(text, start)]


class Registry:
    """All kinds that a language has."""

    __slots__ = ("actions", "predicates")

    def __init__(self, predicates: Iterable[PredicateKind], actions: Iterable[ActionKind]) -> None:
        self.predicates = Kinds(predicates)
        self.actions = Kinds(actions)

    def with_more(self, predicates: Iterable[PredicateKind] = (), actions: Iterable[ActionKind] = ()) -> Registry:
        """A registry that also has these."""
        return Registry((*self.predicates.all, *predicates), (*self.actions.all, *actions))

    def presets(self) -> list[Attributes]:
        """The predicates to begin with, as pimatic lists them."""
        return [
            {"name": preset.name, "input": preset.input, "predicateProviderClass": kind.provider}
            for kind in self.predicates.all
            for preset in kind.presets
        ]
