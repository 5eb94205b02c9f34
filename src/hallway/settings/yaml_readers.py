"""Typed values taken from a tree of YAML: texts, numbers, words, lists, and sections that know all their keys.

Plain words are read as YAML 1.2 says: only true and false are booleans, `off`, `yes`, 12:30 and 2024-05-01 stay text.
It must not know which settings exist.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple, TypeVar

from hallway.home.values import Value
from hallway.settings.yaml_lines import BrokenNode, ListNode, MapNode, Node, Problems, ScalarNode, shortened

T = TypeVar("T")

_NOTHING: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE: Final = frozenset({"true", "True", "TRUE"})
_FALSE: Final = frozenset({"false", "False", "FALSE"})
_YES: Final = frozenset({"true", "yes", "on"})
_NO: Final = frozenset({"false", "no", "off"})
_WHOLE: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_BASED: Final = re.compile(r"0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_LONGEST_NUMBER: Final = 64
_BEYOND: Final = 1 << 63  # where JSON readers that keep whole numbers in 64 bits stop
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_COMPARED: Final = 40  # signs of a word that are looked at for one like it


class Fault(NamedTuple):
    """Why a value was refused: `says` continues the name of the setting (`is 99999`)."""

    line: int
    says: str
    allowed: str


class Refused(Exception):
    """A reader does not take a node; no faults when they have been noted already."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(faults)
        self.faults = faults


def refusal(node: Node, allowed: str) -> Refused:
    """What a reader raises when it wanted something else: the fault shows what is written, never a secret."""
    return Refused() if isinstance(node, BrokenNode) else Refused(Fault(node.line, f"is {shown(node)}", allowed))


def shown(node: Node) -> str:
    """A node as messages show it."""
    if isinstance(node, ScalarNode):
        return _shown_scalar(node)
    return "a list" if isinstance(node, ListNode) else "a mapping"


def _shown_scalar(node: ScalarNode) -> str:
    if node.secret is not None:
        return f"the secret {shortened(node.secret)}"
    if is_nothing(node) or not node.text:
        return "empty"
    return shortened(node.text) if node.plain else f'"{shortened(node.text)}"'


def is_nothing(node: Node) -> bool:
    """Whether only the key is written, or null."""
    return isinstance(node, ScalarNode) and node.plain and node.text in _NOTHING


def is_secret(node: Node) -> bool:
    """Whether the value came from `!secret name`."""
    return isinstance(node, ScalarNode) and node.secret is not None


def value_of(node: Node) -> Value:
    """Any node as JSON value; Refused for numbers that JSON cannot say."""
    faults: list[Fault] = []
    value = _value(node, faults)
    if faults:
        raise Refused(*faults)
    return value


def _value(node: Node, faults: list[Fault]) -> Value:
    if isinstance(node, ScalarNode):
        return _plain_value(node, faults) if node.plain else node.text
    if isinstance(node, ListNode):
        return [_value(item, faults) for item in node.items]
    if isinstance(node, MapNode):
        return {key: _value(item, faults) for key, item in node.entries.items()}
    return None


def _plain_value(node: ScalarNode, faults: list[Fault]) -> Value:
    text = node.text
    if text in _NOTHING:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if text[0] not in "+-.0123456789":
        return text
    number = _number(text)
    if number is None:
        return text
    if not math.isfinite(number):
        faults.append(Fault(node.line, f"holds the number {shortened(text)}", "put quotes around it if it is a text"))
    return number


def _number(text: str) -> int | float | None:
    """The number that a plain word is, infinity or NaN when it is one that cannot be kept, None when it is text."""
    if _WHOLE.fullmatch(text) or _BASED.fullmatch(text):
        found = int(text, 0) if len(text) < _LONGEST_NUMBER else _BEYOND
        return found if -_BEYOND < found < _BEYOND else math.inf
    if _FLOAT.fullmatch(text):
        return float(text)
    return math.nan if _NOT_FINITE.fullmatch(text) else None


def number(low: float, high: float) -> Callable[[Node], float]:
    """A reader of numbers from low to high."""

    def read(node: Node) -> float:
        found = _number(node.text) if isinstance(node, ScalarNode) and node.plain else None
        if found is None or not low <= found <= high:
            raise refusal(node, f"give a number from {low:g} to {high:g}")
        return float(found)

    return read


def whole(low: int, high: int) -> Callable[[Node], int]:
    """A reader of whole numbers from low to high."""

    def read(node: Node) -> int:
        found = _number(node.text) if isinstance(node, ScalarNode) and node.plain else None
        if not isinstance(found, int) or not low <= found <= high:
            hint = ""
            if isinstance(node, ScalarNode) and node.secret is None and re.fullmatch(r"0+[1-9][0-9]{0,9}", node.text):
                hint = f", without the leading zero: {node.text.lstrip('0')}"
            raise refusal(node, f"give a whole number from {low} to {high}{hint}")
        return found

    return read


def text(node: Node) -> str:
    """A reader of texts; a number is taken with its signs as written (0815 stays 0815)."""
    if not isinstance(node, ScalarNode) or is_nothing(node) or not node.text.strip():
        raise refusal(node, "give a text")
    if node.plain and (node.text in _TRUE or node.text in _FALSE):
        raise refusal(node, f'put quotes around it if it is a text: "{node.text}"')
    return node.text


def line_of_text(node: Node) -> str:
    """A reader of names and passwords: text without line breaks and other control characters."""
    written = text(node)
    if _CONTROL.search(written):
        raise Refused(Fault(node.line, "holds a line break, a tab or another control character", "remove it"))
    return written


def boolean(node: Node) -> bool:
    """A reader of true and false; yes, no, on and off are understood too."""
    word = node.text.lower() if isinstance(node, ScalarNode) and node.plain else ""
    if word not in _YES and word not in _NO:
        raise refusal(node, "give true or false")
    return word in _YES


def choice(*words: str) -> Callable[[Node], str]:
    """A reader of one of a few words."""

    def read(node: Node) -> str:
        if not isinstance(node, ScalarNode) or node.text.lower() not in words:
            given = node.text if isinstance(node, ScalarNode) and not is_secret(node) else ""
            raise refusal(node, f"give {' or '.join(words)}{did_you_mean(given, words)}")
        return node.text.lower()

    return read


def list_of(read: Callable[[Node], T]) -> Callable[[Node], list[T]]:
    """A reader of lists whose items all suit `read`; an empty value is an empty list."""

    def read_list(node: Node) -> list[T]:
        if is_nothing(node):
            return []
        if not isinstance(node, ListNode):
            raise refusal(node, "give a list")
        items: list[T] = []
        faults: list[Fault] = []
        for place, item in enumerate(node.items, 1):
            try:
                items.append(read(item))
            except Refused as refused:
                faults += (Fault(line, f"item {place} {says}", allowed) for line, says, allowed in refused.faults)
        if faults:
            raise Refused(*faults)
        return items

    return read_list


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`, did you mean port?` when a known word is near; otherwise nothing."""
    from difflib import get_close_matches  # noqa: PLC0415 - most homes have nothing misspelled

    spelled = {one.lower(): one for one in known}
    near = get_close_matches(word[:_COMPARED].lower(), spelled, 1)
    return f", did you mean {spelled[near[0]]}?" if near else ""


class Section:
    """A mapping whose keys are taken one by one; `close` notes those that nobody asked for.

    What is refused or missing is noted too, and the given default stands in until the problems are raised.
    """

    def __init__(self, node: MapNode, name: str, problems: Problems) -> None:
        self.node = node
        self.name = name
        self.problems = problems
        self._prefix = f"{name}." if name else ""
        self._known: dict[str, None] = {}  # in the order of asking

    def has(self, key: str) -> bool:
        """Whether a key is written; it is then a known one."""
        self._known[key] = None
        return key in self.node.entries

    def line(self, key: str) -> int:
        """The line of a key; of the whole mapping when the key is not there."""
        return self.node.lines.get(key, self.node.line)

    def take(self, key: str, read: Callable[[Node], T], default: T) -> T:
        """What is written for a key, the default when nothing is."""
        if not self.has(key):
            return default
        node = self.node.entries[key]
        try:
            return read(node)
        except Refused as refused:
            for line, says, allowed in refused.faults:
                self.problems.add(line, f"{self._prefix}{key} {says}", allowed)
        return default

    def require(self, key: str) -> None:
        """Notes a problem unless the key is written."""
        if not self.has(key):
            self.problems.add(self.node.line, f"{self._prefix}{key} is missing", f"give it: `{key}: …`")

    def need(self, key: str, read: Callable[[Node], T], stand_in: T) -> T:
        """Like take, for a key that has to be there."""
        self.require(key)
        return self.take(key, read, stand_in)

    def section(self, key: str) -> Section:
        """The section under a key; an empty one when nothing is written."""
        empty = MapNode({}, {}, self.line(key))
        return Section(self.take(key, _mapping_or(empty), empty), f"{self._prefix}{key}", self.problems)

    def sections(self, key: str, example: str) -> list[Section]:
        """The mappings in the list under a key, each as a section."""
        nodes: list[Node] = self.take(key, list_of(_as_it_is), [])
        return list(self._mappings(nodes, f"{self._prefix}{key}", example))

    def _mappings(self, nodes: list[Node], name: str, example: str) -> Iterator[Section]:
        for place, node in enumerate(nodes, 1):
            if isinstance(node, MapNode):
                yield Section(node, name, self.problems)
            elif not isinstance(node, BrokenNode):
                self.problems.add(
                    node.line, f"{name} item {place} is {shown(node)}", f"give a mapping such as {example}"
                )

    def close(self) -> None:
        """Notes every key that has not been taken."""
        for key in [key for key in self.node.entries if key not in self._known]:
            name = f"{self._prefix}{shortened(key)}"
            allowed = f"known are {', '.join(self._known)}{did_you_mean(key, self._known)}"
            self.problems.add(self.node.lines[key], f"{name} is not a setting", allowed)


def _as_it_is(node: Node) -> Node:
    return node


def _mapping_or(empty: MapNode) -> Callable[[Node], MapNode]:
    def read(node: Node) -> MapNode:
        if is_nothing(node):
            return empty
        if not isinstance(node, MapNode):
            raise refusal(node, "give settings below it, each as `key: value`")
        return node

    return read
