"""YAML text as a tree that remembers its lines.

Nothing is ever built from a tag, aliases are bounded, and every fault is collected as a Problem with its line.
It must not know what the values mean; that is for `yaml_readers`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import yaml

MAX_DEPTH: Final = 50
MAX_NODES: Final = 500_000
MAX_PROBLEMS: Final = 100
_SHOWN: Final = 40
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NOT_YAML: Final = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_SECRET: Final = "!secret"  # noqa: S105 (the name of a tag)
_TEXT_TAGS: Final = (None, "!", "tag:yaml.org,2002:str")
_COLLECTION_TAGS: Final = (None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: `where` is file:line, `what` is wrong, `allowed` (or `what`) says what to write instead."""

    where: str
    what: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}{', ' if self.allowed else ''}{self.allowed}"


class Unusable(Exception):
    """Nothing more can be read; the reason stands among the problems."""


class Problems:
    """Collects what is wrong in one file and in those beside it."""

    def __init__(self, file: str, found: dict[Problem, tuple[str, int]] | None = None) -> None:
        self.file = file
        self._found: dict[Problem, tuple[str, int]] = {} if found is None else found

    def __bool__(self) -> bool:
        return bool(self._found)

    def beside(self, file: str) -> Problems:
        """The same collection, for another file."""
        return Problems(file, self._found)

    def where(self, line: int) -> str:
        return f"{self.file}:{line}"

    def add(self, line: int, what: str, allowed: str) -> None:
        """Notes a problem; Unusable after a hundred of them, since nobody reads more at once."""
        self._found[Problem(self.where(line), what, allowed)] = (self.file, line)
        if len(self._found) >= MAX_PROBLEMS:
            last = Problem(self.where(line), f"reading stopped after {MAX_PROBLEMS} problems", "mend these first")
            self._found[last] = ("\U0010ffff", line)
            raise Unusable

    def in_order(self) -> tuple[Problem, ...]:
        """All problems, by file and line."""
        return tuple(sorted(self._found, key=self._found.__getitem__))


class ScalarNode(NamedTuple):
    """One word or text as written; `plain` when it had no quotes, `secret` names the secret it came from."""

    text: str
    plain: bool
    line: int
    secret: str | None = None


class ListNode(NamedTuple):
    """A list."""

    items: list[Node]
    line: int


class MapNode(NamedTuple):
    """A mapping; `lines` holds the line of each key."""

    entries: dict[str, Node]
    lines: dict[str, int]
    line: int


class BrokenNode(NamedTuple):
    """Stands where something could not be read; its problem has been noted already."""

    line: int


Node = ScalarNode | ListNode | MapNode | BrokenNode
SecretReader = Callable[[str, int], Node]


def compose(text: str, problems: Problems, secret: SecretReader | None = None) -> Node | None:
    """YAML text → its tree, None when it is empty; `secret(name, line)` gives what stands for `!secret name`.

    Raises Unusable when the text is not YAML or grows past the limits; what else is wrong is added to the problems.
    """
    unprintable = _NOT_YAML.search(text)
    if unprintable:
        line = text.count("\n", 0, unprintable.start()) + 1
        problems.add(line, f"the sign U+{ord(unprintable[0]):04X} is not allowed in YAML", "remove it")
        raise Unusable
    try:
        return _Composer(yaml.parse(text, Loader=_LOADER), problems, secret).document()
    except yaml.MarkedYAMLError as error:
        _report_syntax(error, text, problems)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        problems.add(1, f"this is not YAML ({_one_line(str(error))})", "see docs/configuration.md for an example")
    raise Unusable


def _report_syntax(error: yaml.MarkedYAMLError, text: str, problems: Problems) -> None:
    mark = error.problem_mark or error.context_mark
    line = 1 if mark is None else mark.line + 1
    lines = text.splitlines() or [""]
    written = lines[min(line, len(lines)) - 1]
    said = _one_line(error.problem or "")
    since = ""
    if error.context_mark is not None and error.context_mark.line + 1 < line:
        since = f", in what begins in line {error.context_mark.line + 1}"
    what = f"this is not YAML ({said}{since})"
    if written[: len(written) - len(written.lstrip())].count("\t"):
        problems.add(line, "a tab stands at the beginning of the line", "indent with spaces")
    elif "mapping values" in said:
        problems.add(line, what, "check the indentation, and put quotes around a text that holds a colon")
    elif "cannot start any token" in said:
        problems.add(line, what, "put quotes around a text that begins with @, %, ` or a tab")
    elif "end of stream" in said:
        problems.add(line, what, "close the quotes or the bracket")
    else:
        problems.add(line, what, "check the indentation, the brackets and the quotes here and in the line before")


class _Composer:
    """Builds the tree from the parser's events."""

    def __init__(self, events: Iterator[yaml.Event], problems: Problems, secret: SecretReader | None) -> None:
        self._events = events
        self._problems = problems
        self._secret = secret
        self._anchors: dict[str, tuple[Node, int] | None] = {}  # None while the anchored node is still open
        self._count = 0

    def document(self) -> Node | None:
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        node = self._node(next(self._events), 0)
        next(self._events)
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._problems.add(_line(after), "a second document begins here", "keep everything in one: remove `---`")
        return node

    def _node(self, event: yaml.Event, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        line = _line(event)
        if depth > MAX_DEPTH:
            self._problems.add(line, f"this is nested more than {MAX_DEPTH} levels deep", "make it flatter")
            raise Unusable
        before = self._count
        self._grow(1, line)
        anchor = event.anchor if isinstance(event, yaml.NodeEvent) else None
        if anchor is not None:
            self._anchors[anchor] = None
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event, line)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._list(event, line, depth)
        else:
            node = self._map(event, line, depth)
        if anchor is not None:
            self._anchors[anchor] = (node, self._count - before)
        return node

    def _grow(self, nodes: int, line: int) -> None:
        self._count += nodes
        if self._count > MAX_NODES:
            self._problems.add(line, f"with its aliases the file holds more than {MAX_NODES} values", "use fewer")
            raise Unusable

    def _alias(self, event: yaml.AliasEvent) -> Node:
        line, name = _line(event), event.anchor or ""
        if name not in self._anchors:
            self._problems.add(line, f"nothing above is named &{name}", f'put quotes around "*{name}" if it is a text')
            return BrokenNode(line)
        known = self._anchors[name]
        if known is None:
            self._problems.add(line, f"*{name} stands inside &{name} itself", "remove the alias")
            return BrokenNode(line)
        node, size = known
        self._grow(size, line)
        return node._replace(line=line)

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> Node:
        if event.tag == _SECRET and self._secret is not None:
            return self._secret(event.value, line)
        if event.tag not in _TEXT_TAGS:
            return self._unknown_tag(event.tag, line)
        if event.style == '"' and not _is_unicode(event.value):
            self._problems.add(line, "this text holds half a surrogate pair", "write the sign itself")
            return BrokenNode(line)
        return ScalarNode(event.value, not event.style and event.tag is None, line)

    def _list(self, event: yaml.SequenceStartEvent, line: int, depth: int) -> Node:
        items: list[Node] = []
        for inner in self._events:
            if isinstance(inner, yaml.SequenceEndEvent):
                break
            items.append(self._node(inner, depth + 1))
        return ListNode(items, line) if event.tag in _COLLECTION_TAGS else self._unknown_tag(event.tag, line)

    def _map(self, event: yaml.Event, line: int, depth: int) -> Node:
        entries: dict[str, Node] = {}
        lines: dict[str, int] = {}
        merged: list[Node] = []
        for inner in self._events:
            if isinstance(inner, yaml.MappingEndEvent):
                break
            key = self._node(inner, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if isinstance(key, ScalarNode) and key.plain and key.text == "<<":
                merged.append(value)
            elif isinstance(key, BrokenNode):
                continue
            elif not isinstance(key, ScalarNode) or not key.text or key.secret is not None:
                self._problems.add(key.line, "this key is not a text", "put quotes around a text that begins with {")
            elif key.text in lines:
                what = f"{shortened(key.text)} is given twice, first in line {lines[key.text]}"
                self._problems.add(key.line, what, "keep one of them")
            else:
                entries[key.text] = value
                lines[key.text] = key.line
        for source in merged:
            self._merge(source, entries, lines)
        tag = event.tag if isinstance(event, yaml.MappingStartEvent) else None
        return MapNode(entries, lines, line) if tag in _COLLECTION_TAGS else self._unknown_tag(tag, line)

    def _merge(self, source: Node, entries: dict[str, Node], lines: dict[str, int]) -> None:
        for one in source.items if isinstance(source, ListNode) else (source,):
            if isinstance(one, MapNode):
                for key, value in one.entries.items():
                    if key not in entries:
                        entries[key] = value
                        lines[key] = one.lines[key]
            elif not isinstance(one, BrokenNode):
                self._problems.add(
                    one.line, "`<<` is given something else than mappings", "name an anchor: `<<: *name`"
                )

    def _unknown_tag(self, tag: str | None, line: int) -> BrokenNode:
        name = shortened((tag or "").replace("tag:yaml.org,2002:", "!!"))
        allowed = "the only tag is `!secret name`" if self._secret else "write the value itself"
        self._problems.add(
            line, f"the tag {name} cannot be used here", f"{allowed}, and a text that begins with ! needs quotes"
        )
        return BrokenNode(line)


def _line(event: yaml.Event) -> int:
    return 1 if event.start_mark is None else event.start_mark.line + 1


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _one_line(text: str) -> str:
    return " ".join(text.split())


def shortened(text: str) -> str:
    """A text from the file as messages show it: not too long and on one line."""
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return json.dumps(shown, ensure_ascii=False)[1:-1] if _CONTROL.search(shown) else shown
