"""Revisions: what was edited, from what to what, by whom; and how things were defined at an earlier moment.

Here is what can be asked of whoever keeps them. It must not know how they are kept, nor what a definition means.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final, Protocol

import msgspec

from hallway.errors import Unavailable
from hallway.home.values import Attributes

ORDER: Final = "order"
"""Kind of the orders; the id of one is the kind that it puts in order."""
EDITED: Final = (
    "device",
    "variable",
    "rule",
    "page",
    "group",
    "scene",
    "user",
    "role",
    "plugin",
    "setting",
    ORDER,
)
"""The kinds of what people edit."""
Which = tuple[str, str]
"""Kind and id of something that is edited."""


class Revision(msgspec.Struct, frozen=True):
    """One edit of one thing: its body afterwards and before, None where there was none.

    number: that of the change with which it came; version: counts the edits of that one thing; act: the number of the
    first edit of what somebody did in one go; at: seconds since 1970; forgotten: the version before is not kept any
    more, so that nobody knows what `before` was.
    """

    number: int
    kind: str
    id: str
    version: int
    act: int
    at: float
    author: str | None
    door: str
    body: Attributes | None
    before: Attributes | None
    forgotten: bool = False

    @property
    def which(self) -> Which:
        """What was edited."""
        return self.kind, self.id


class Then(msgspec.Struct, frozen=True):
    """How something was defined at a moment: number and version of the edit that made it so.

    since: the number of the edit with which it came; forgotten: the version of that moment is not kept any more, this
    is the last one before it that is.
    """

    body: Attributes
    number: int
    version: int
    since: int
    forgotten: bool = False


class BeingMended(Unavailable):
    """They cannot be read now, and what keeps them is being mended; over: waits for that, a while at most."""

    def __init__(self, message: str, over: Callable[[], Awaitable[None]]) -> None:
        super().__init__(message)
        self.over = over


class Revisions(Protocol):
    """Who keeps the revisions. All raise Unavailable when they cannot be read just now, or BeingMended.

    What was edited last is known at any time once the home is kept: whoever has made an edit is never refused its
    number.
    """

    def newest_first(self, kinds: Collection[str], key: str | None, before: int, limit: int) -> list[Revision]:
        """Those of these kinds with a lower number than `before`, at most so many; key: of one kind, that id alone."""
        ...

    def get(self, number: int) -> Revision:
        """The revision of that number. NotFound: there is none, or it is not kept any more."""
        ...

    def of_act(self, act: int) -> list[Revision]:
        """All of what was done in one go, in its order. NotFound: nothing of it is kept."""
        ...

    def version(self, kind: str, key: str, version: int) -> Revision:
        """That version of one thing. NotFound: there is none, or it is not kept any more."""
        ...

    def present(self, kind: str, key: str) -> int:
        """The number of the last edit of something, 0 when it was never edited."""
        ...

    def newest(self) -> int:
        """The number of the last edit of anything, 0 when there was none."""
        ...

    def newest_act(self) -> int:
        """The number of the first edit of what was done last in one go, 0 when nothing was."""
        ...

    def at(self, moment: float) -> int:
        """The number of the last edit up to a moment in seconds since 1970. NotFound: the home was not there then."""
        ...

    def as_of(self, kind: str, number: int) -> Mapping[str, Then]:
        """What was there of a kind after the edit of that number, in the order in which it came."""
        ...
