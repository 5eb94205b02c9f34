"""The router: a path → what may be done there, and the parameters in it.

Routes are segments, literal or `{parameter}`, held as a tree, so a look-up costs as much as the path is deep.
It must not know operations, methods or permissions.
"""

from __future__ import annotations

import re
from typing import Final, Generic, TypeVar

T = TypeVar("T")
MAX_REMEMBERED, MAX_REMEMBERED_PATH = 4096, 128
"""Paths whose targets are remembered, since clients ask for the same ones all day, and how long these may be."""
WORD: Final = re.compile(r"[a-zA-Z._0-9]+")
"""What a parameter is made of in the API of 2014."""
ANYTHING: Final = re.compile(r".+", re.DOTALL)


class _Node(Generic[T]):
    __slots__ = ("children", "open_ended", "parameter", "target", "word")

    def __init__(self) -> None:
        self.children: dict[str, _Node[T]] = {}
        self.parameter: _Node[T] | None = None
        self.target: T | None = None
        self.open_ended = False
        self.word: re.Pattern[str] | None = None


class Router(Generic[T]):
    """Targets by route. parameter: what a parameter is made of; loose: routes are the same in upper and lower case.

    At an open-ended route the last parameter ends where such letters end, and whatever follows is not looked at.
    In a loose router a `/` at the end says nothing.
    """

    def __init__(self, parameter: re.Pattern[str] = WORD, *, loose: bool = False) -> None:
        self._parameter = parameter
        self._loose = loose
        self._root: _Node[T] = _Node()
        self._routes: dict[str, T] = {}
        self._found: dict[str, tuple[T, tuple[str, ...]]] = {}

    def add(self, route: str, target: T, *, open_ended: bool = False, word: re.Pattern[str] | None = None) -> None:
        """Put a target at a route, in place of the one there. word: what its parameters are made of, if special."""
        self._routes[route] = target
        self._found.clear()
        node = self._root
        for segment in self._segments(route):
            if segment.startswith("{"):
                node.parameter = node.parameter or _Node()
                node = node.parameter
                node.word = word
            else:
                node = node.children.setdefault(segment.lower() if self._loose else segment, _Node())
        node.target = target
        node.open_ended = open_ended

    def at(self, route: str) -> T | None:
        """The target that was put at exactly that route."""
        return self._routes.get(route)

    def find(self, path: str) -> tuple[T, tuple[str, ...]] | None:
        """The target of a path with the parameters in it; None when nothing is there."""
        found = self._found.get(path)
        if found is not None:
            return found
        found = self._search(path)
        if found is not None and len(path) <= MAX_REMEMBERED_PATH:
            if len(self._found) >= MAX_REMEMBERED:
                self._found.clear()
            self._found[path] = found
        return found

    def _segments(self, path: str) -> list[str]:
        segments = path.split("/")[1:]
        if self._loose and len(segments) > 1 and not segments[-1]:
            segments.pop()
        return segments

    def _search(self, path: str) -> tuple[T, tuple[str, ...]] | None:
        node = self._root
        parameters: tuple[str, ...] = ()
        for segment in self._segments(path):
            child = node.children.get(segment.lower() if self._loose else segment)
            if child is not None:
                node = child
                continue
            if node.parameter is None:
                if node.open_ended and parameters:
                    break
                return None
            word = (node.parameter.word or self._parameter).match(segment)
            if word is None:
                return None
            node = node.parameter
            parameters = (*parameters, word.group())
            if word.end() != len(segment):
                if not node.open_ended:
                    return None
                break
        return None if node.target is None else (node.target, parameters)
