"""The pages of an SQLite file, read without SQLite: which table each belongs to, and the rows that stand in it.

A page that cannot be read costs the rows that stand in it and no others: where the way down to a page is damaged, the
map of parents that a file with auto_vacuum has is the way up. It must not know what the rows mean.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

MAGIC: Final = b"SQLite format 3\0"
_HEADER: Final = 100
_LEAF: Final = 0x0D
_INTERIOR: Final = 0x05
_ROOT, _FREE, _TREE = 1, 2, 5
_IN_NO_TREE: Final = frozenset({_FREE, 3, 4})
"""Kinds of page in the map of parents: free ones, and such as hold what is too long for a row."""
_SCHEMA_COLUMNS: Final = 5
_PENDING: Final = 1 << 30
"""The page with this byte is never used."""
_DEEPEST: Final = 20
_INTEGERS: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
_FLOAT, _ZERO, _ONE, _BLOB = 7, 8, 9, 12


class DamagedPage(Exception):
    """It is not what it should be."""


class Leaf(NamedTuple):
    """Rows of a page with their numbers. lost: such as cannot be read; orphan: no way down led to the page.

    torn: nothing of the page can be read.
    """

    rows: list[tuple[int, list[Any]]]
    lost: int
    orphan: bool
    torn: bool = False


class Leaves:
    """A file, from here until `close`. page_bytes: where the file itself does not say it."""

    def __init__(self, path: Path, page_bytes: int) -> None:
        self._file = path.open("rb")
        size = path.stat().st_size
        self._data = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        self.has_head = self._data[: len(MAGIC)] == MAGIC
        said = int.from_bytes(self._data[16:18], "big") if self.has_head else 0
        said = 65_536 if said == 1 else said
        self._size = said if said >= 512 and said & (said - 1) == 0 else page_bytes  # noqa: PLR2004
        reserved = self._data[20] if self.has_head else 0
        self._usable = self._size - reserved if reserved <= self._size // 8 else self._size
        self._pages = size // self._size
        self._has_map = not self.has_head or any(self._data[52:56])

    def close(self) -> None:
        """Let the file go."""
        if isinstance(self._data, mmap.mmap):
            self._data.close()
        self._file.close()

    def schema(self) -> tuple[dict[str, int], bool]:
        """Tables and the pages at which they begin, as far as it can be read; and whether that is all of them."""
        found, whole = {}, self.has_head
        for leaf in self._walk(1, set()):
            whole = whole and not leaf.lost
            for _, row in leaf.rows:
                if len(row) == _SCHEMA_COLUMNS and row[0] == "table" and isinstance(row[3], int):
                    found[str(row[1])] = row[3]
        return found, whole

    def may_begin(self, page: int) -> bool:
        """Whether a table may begin at a page, as far as the map says."""
        return not self._has_map or self._root_of(page) in {page, None}

    def tables(self, roots: dict[str, int]) -> Iterator[tuple[str, Leaf]]:
        """The rows of all tables: those to which a way leads down, then those of which a way leads up."""
        seen: set[int] = set()
        for name, root in roots.items():
            for leaf in self._walk(root, seen):
                yield name, leaf
        names = {root: name for name, root in roots.items()}
        for page in range(2, self._pages + 1) if self._has_map else ():
            if page not in seen and self._flag(page) == _LEAF:
                root_of = self._root_of(page)
                if root_of in names:
                    yield names[root_of], self._leaf(page, orphan=True)

    def _walk(self, root: int, seen: set[int]) -> Iterator[Leaf]:
        """Leaves below a page. One that cannot be read is a leaf that has lost something."""
        waiting = [root]
        while waiting:
            page = waiting.pop()
            if page in seen or not 1 <= page <= self._pages:
                continue
            if page != root and self._has_map and self._root_of(page) not in {root, None}:
                continue  # a damaged page led to it
            seen.add(page)
            flag = self._flag(page)
            if flag == _LEAF:
                yield self._leaf(page)
            elif flag == _INTERIOR:
                waiting += reversed(self._children(page))
            else:
                yield Leaf([], 1, orphan=False, torn=True)

    def _page(self, number: int) -> bytes:
        return self._data[(number - 1) * self._size : number * self._size]

    def _flag(self, page: int) -> int:
        return self._data[(page - 1) * self._size + (_HEADER if page == 1 else 0)]

    def _cells(self, data: bytes, page: int, head: int) -> Iterator[int]:
        """Where the cells of a page begin."""
        begin = _HEADER if page == 1 else 0
        (count,) = struct.unpack_from(">H", data, begin + 3)
        count = min(count, (self._usable - begin - head) // 2)
        for (place,) in struct.iter_unpack(">H", data[begin + head : begin + head + 2 * count]):
            yield place

    def _children(self, page: int) -> list[int]:
        data = self._page(page)
        begin = _HEADER if page == 1 else 0
        found = [int.from_bytes(data[place : place + 4], "big") for place in self._cells(data, page, 12)]
        return [*found, int.from_bytes(data[begin + 8 : begin + 12], "big")]

    def _root_of(self, page: int) -> int | None:
        """The page at which the table of a page begins; 0: it belongs to none; None: nobody knows."""
        if page == 1:
            return 1
        for _ in range(_DEEPEST):
            kind, parent = self._parent(page)
            if kind == _ROOT:
                return page
            if kind != _TREE:
                return 0 if kind in _IN_NO_TREE else None
            if parent == 1:
                return 1
            if not 1 < parent <= self._pages:
                return None
            page = parent
        return None

    def _parent(self, page: int) -> tuple[int, int]:
        """The kind of a page, and its parent, as the map says."""
        each = self._usable // 5 + 1
        where = (page - 2) // each * each + 2
        if where == _PENDING // self._size + 1:
            where += 1
        place = (where - 1) * self._size + 5 * (page - where - 1)
        if page <= where or place + 5 > len(self._data):
            return _FREE, 0
        return self._data[place], int.from_bytes(self._data[place + 1 : place + 5], "big")

    # ------------------------------------------------------------------ rows

    def _leaf(self, page: int, *, orphan: bool = False) -> Leaf:
        data = self._page(page)
        rows = []
        lost = 0
        for place in self._cells(data, page, 8):
            try:
                rows.append(self._row(data, place))
            except (DamagedPage, IndexError, struct.error, UnicodeDecodeError):
                lost += 1
        return Leaf(rows, lost, orphan)

    def _row(self, data: bytes, place: int) -> tuple[int, list[Any]]:
        if place < 8:  # noqa: PLR2004 - within the head of the page
            raise DamagedPage
        size, place = _varint(data, place)
        number, place = _varint(data, place)
        number = number - (1 << 64) if number >> 63 else number
        most = self._usable - 35
        if size <= most:
            payload = data[place : place + size]
            if place + size > self._usable:
                raise DamagedPage
        else:
            payload = self._overflowing(data, place, size)
        return number, _record(payload)

    def _overflowing(self, data: bytes, place: int, size: int) -> bytes:
        least = (self._usable - 12) * 32 // 255 - 23
        here = least + (size - least) % (self._usable - 4)
        if here > self._usable - 35:
            here = least
        if size > self._pages * self._size or place + here + 4 > self._usable:
            raise DamagedPage
        parts = [data[place : place + here]]
        left = size - here
        follows = int.from_bytes(data[place + here : place + here + 4], "big")
        while left > 0:
            if not 1 < follows <= self._pages:
                raise DamagedPage
            page = self._page(follows)
            parts.append(page[4 : 4 + min(left, self._usable - 4)])
            left -= len(parts[-1])
            follows = int.from_bytes(page[:4], "big")
        return b"".join(parts)


def _varint(data: bytes, place: int) -> tuple[int, int]:
    number = 0
    for count in range(9):
        byte = data[place + count]
        if count == 8:  # noqa: PLR2004 - the ninth byte counts in full
            return number << 8 | byte, place + 9
        number = number << 7 | byte & 0x7F
        if byte < 0x80:  # noqa: PLR2004
            return number, place + count + 1
    raise DamagedPage


def _record(payload: bytes) -> list[Any]:
    """The values; all bytes of the payload must be used."""
    end, place = _varint(payload, 0)
    kinds = []
    while place < end:
        kind, place = _varint(payload, place)
        kinds.append(kind)
    if place != end:
        raise DamagedPage
    values = []
    for kind in kinds:
        value, place = _value(payload, place, kind)
        values.append(value)
    if place != len(payload):
        raise DamagedPage
    return values


def _value(payload: bytes, place: int, kind: int) -> tuple[Any, int]:
    if kind >= _BLOB:
        size = (kind - _BLOB) // 2
        data = payload[place : place + size]
        if len(data) < size:
            raise DamagedPage
        return data.decode() if kind % 2 else data, place + size
    if kind in _INTEGERS:
        size = _INTEGERS[kind]
        return int.from_bytes(payload[place : place + size], "big", signed=True), place + size
    if kind == _FLOAT:
        return struct.unpack_from(">d", payload, place)[0], place + 8
    if kind in {_ZERO, _ONE}:
        return kind - _ZERO, place
    if kind == 0:
        return None, place
    raise DamagedPage
