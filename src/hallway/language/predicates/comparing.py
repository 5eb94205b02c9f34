"""The words that compare: `is less than`, `>=`, `equals`, as several kinds of predicates use them.

It must not know what is compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from hallway.language.conditions import Comparator
from hallway.language.matching import Reader
from hallway.language.words import words

_EQUAL: Final = ("equals", "is equal to", "is equal", "is", "=", "==")
_UNEQUAL: Final = ("is not", "isnt", "!=")
_SIZES: Final[Mapping[Comparator, tuple[str, ...]]] = MappingProxyType(
    {
        "<": ("less", "lower", "below"),
        ">": ("greater", "higher", "above"),
        "<=": (
            "less or equal",
            "lower or equal",
            "below or equal",
            "equal or less",
            "equal or lower",
            "equal or below",
        ),
        ">=": (
            "greater or equal",
            "higher or equal",
            "above or equal",
            "equal or greater",
            "equal or higher",
            "equal or above",
        ),
    }
)


def _spellings() -> Iterator[tuple[str, Comparator]]:
    for word in _EQUAL:
        yield f" {word} ", "=="
    for word in _UNEQUAL:
        yield f" {word} ", "!="
    for sign, kinds in _SIZES.items():
        yield f" {sign} ", sign
        for word in kinds:
            for spelling in (word, f"is {word}", f"{word} than", f"is {word} than"):
                yield f" {spelling} ", sign


_MEANING: Final[Mapping[str, Comparator]] = MappingProxyType(dict(_spellings()))
_SHOWN_EQUALITIES: Final = (" equals ", " is ", " is not ", " = ")
_SHOWN: Final = (
    *_SHOWN_EQUALITIES, " < ", " <= ", " > ", " >= ",
    " is less than ", " is less or equal than ", " is greater than ", " is greater or equal than ",
)  # fmt: skip

_EQUALITIES: Final = words(
    *_SHOWN_EQUALITIES,
    also=[spelling for spelling, sign in _MEANING.items() if sign in {"==", "!="} and spelling not in _SHOWN],
    element="select",
)
_COMPARISONS: Final = words(
    *_SHOWN, also=[spelling for spelling in _MEANING if spelling not in _SHOWN], element="select"
)


def read_equality(reader: Reader) -> Comparator | None:
    """Equal or not."""
    spelling = reader.take(_EQUALITIES)
    return _MEANING[spelling] if spelling else None


def read_comparison(reader: Reader) -> Comparator | None:
    """Equal or not, less or more."""
    spelling = reader.take(_COMPARISONS)
    return _MEANING[spelling] if spelling else None
