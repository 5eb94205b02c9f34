"""How predicates that are joined in a sentence become a tree: as pimatic 0.9 understands them, to the letter.

`and` joins what stands before it to the next part. `or`, `and if` and `or when` join it to all that follows, but not
beyond an `or when`, unless an `and` or a bracket stands between. It must not know how sentences are written.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import cast

from hallway.language.conditions import Condition, Joined, Joint, Predicate

Token = str | int


class Joining:
    """The tree of the tokens of a sentence in which every bracket is closed.

    astray: the number of an `or when` that would end a bracket which is not at its end, as in `[a or when b]`.
    """

    __slots__ = ("_parts", "_passed", "_predicates", "astray", "tree")

    def __init__(self, tokens: Sequence[Token], predicates: Sequence[Predicate]) -> None:
        self._parts = deque(token for token in tokens if token not in {"predicate", "(", ")"})
        self._predicates = predicates
        self._passed = 0
        self.astray: int | None = None
        first, _ = self._part()
        self.tree = self._onward(first, ends_at_or_when=False)

    def _part(self) -> tuple[Condition, bool]:
        """A predicate, or what stands in brackets; and whether it is the latter."""
        first = self._parts.popleft()
        if isinstance(first, int):
            return self._predicates[first], False
        tree = self._right_side()
        if self._parts[0] != "]":
            if self.astray is None:
                self.astray = self._passed
            tree = self._onward(tree, ends_at_or_when=False)
        self._parts.popleft()
        return tree, True

    def _right_side(self) -> Condition:
        """A part and what is joined to it."""
        part, bracketed = self._part()
        return self._onward(part, ends_at_or_when=not bracketed)

    def _onward(self, left: Condition, *, ends_at_or_when: bool) -> Condition:
        parts = self._parts
        while parts and parts[0] != "]" and not (ends_at_or_when and parts[0] == "or when"):
            joint = cast("Joint", parts.popleft())
            self._passed += 1
            if joint == "and":
                right, _ = self._part()
                ends_at_or_when = False
            else:
                right = self._right_side()
            left = Joined(joint, left, right)
        return left
