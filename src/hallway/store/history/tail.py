"""The samples that the archive has not taken yet, in memory: by series, with the ids that they have in the file.

It makes questions exact: a look at it, then at the archive, and of both what only one of them has. It must not know
files, nor what an archive is.
"""

from __future__ import annotations

import math
import time
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from operator import le
from typing import NamedTuple, TypeVar

from hallway.errors import CannotStore
from hallway.home.past import Series
from hallway.home.values import Attributes, Value, encode, encode_to_keep
from hallway.store.history.archive import Page, TailRow

LONGEST_INTEGER = 2**63


_Each = TypeVar("_Each")
_TEXTS = (str, bytes)
Row = tuple[int, "Track", int, Value, bytes | None]
"""Id, series, time in milliseconds, value, and what is said beside it, as JSON."""
YOUNG = 32
"""So many rows of a series are kept as they came, before they are packed into columns."""


class Rows(NamedTuple):
    """Samples of one series in the order of their times, and of ids where these are equal. mores: empty or as long."""

    ids: Sequence[int] = ()
    ats: Sequence[int] = ()
    values: Sequence[Value] = ()
    mores: Sequence[bytes | None] = ()

    def part(self, begin: int, end: int | None = None) -> Rows:
        """From one place to before another."""
        return Rows(self.ids[begin:end], self.ats[begin:end], self.values[begin:end], self.mores[begin:end])

    def between(self, after: int | None, before: int | None) -> Rows:
        """Those between two times, both included."""
        begin = 0 if after is None else bisect_left(self.ats, after)
        end = len(self.ids) if before is None else bisect_right(self.ats, before)
        return self.part(begin, end)

    def since(self, taken: int) -> Rows:
        """Those with higher ids."""
        if not self.ids or min(self.ids) > taken:
            return self
        return self._chosen([place for place, row_id in enumerate(self.ids) if row_id > taken])

    def in_order(self) -> Rows:
        """Sorted by time and id."""
        places = sorted(range(len(self.ids)), key=lambda place: (self.ats[place], self.ids[place]))
        return self._chosen(places)

    def _chosen(self, places: list[int]) -> Rows:
        ids, ats, values, mores = self
        return Rows(
            [ids[place] for place in places],
            [ats[place] for place in places],
            [values[place] for place in places],
            [mores[place] for place in places] if mores else (),
        )


class Track:
    """A series that is recorded. number: in the file, 0 as long as it has none there."""

    __slots__ = (
        "_ats",
        "_ids",
        "_mores",
        "_ordered",
        "_said",
        "_shown",
        "_values",
        "_young",
        "discrete",
        "number",
        "series",
        "type",
    )

    def __init__(self, series: Series, value_type: str, discrete: bool, number: int = 0) -> None:
        self.series = series
        self.type = value_type
        self.discrete = discrete
        self.number = number
        self._young: list[Row] | None = None
        self._clear()

    def _clear(self) -> None:
        self._ids: array[int] | None = None
        self._ats: array[int] | None = None
        self._values: array[float] | list[Value] | None = None
        self._mores: list[bytes | None] | None = None
        self._ordered = True
        self._shown: Value = None
        self._said: bytes | None = None

    def __len__(self) -> int:
        return (len(self._ids) if self._ids is not None else 0) + (len(self._young) if self._young is not None else 0)

    def text_of(self, more: Attributes) -> bytes:
        """What is said beside a value, as JSON; most often it is as it was the last time, and the same object."""
        shown = more.get("attributes") if len(more) == 1 else None
        if shown is not None and shown is self._shown and self._said is not None:
            return self._said
        text = more_text(more)
        if text != self._said:
            self._said = text
        self._shown = shown
        return self._said or text

    def put(self, row: Row) -> None:
        """One more row; ids grow, times should."""
        young = self._young
        if young is None:
            self._young = [row]
            return
        young.append(row)
        if len(young) >= YOUNG:
            self._pack()

    def _pack(self) -> None:
        """Into columns, which take less memory."""
        young, self._young = self._young, None
        if young is None:
            return
        ats, values = [row[2] for row in young], [row[3] for row in young]
        if self._ids is None or self._ats is None or self._values is None:
            self._ids, self._ats, self._values = array("q"), array("q"), array("d")
        elif self._ats[-1] > ats[0]:
            self._ordered = False
        self._ordered = self._ordered and all(map(le, ats, ats[1:]))
        if type(values[0]) is str:
            values = _once(values)
        if type(self._values) is array and {type(value) for value in values} != {float}:
            self._values = list(self._values)
        if self._mores is None and any(row[4] is not None for row in young):
            self._mores = [None] * len(self._ids)
        if self._mores is not None:
            self._mores += _once([row[4] for row in young])
        self._ids.extend([row[0] for row in young])
        self._ats.extend(ats)
        self._values.extend(values)  # type: ignore[arg-type]

    def _all(self) -> Rows:
        """In the order of ids."""
        if self._ids is None:
            young = self._young or []
            mores = [row[4] for row in young] if any(row[4] is not None for row in young) else []
            return Rows([row[0] for row in young], [row[2] for row in young], [row[3] for row in young], mores)
        self._pack()
        return Rows(self._ids, self._ats or (), self._values or (), self._mores or ())

    def rows(self, after: int | None = None, before: int | None = None) -> Rows:
        """Those between two times, both included."""
        every = self._all()
        if not self._ordered or (self._ids is None and not all(map(le, every.ats, every.ats[1:]))):
            every = every.in_order()
        return every.between(after, before)

    def by_id(self, last: int) -> Rows:
        """Those up to an id, in the order of their ids."""
        every = self._all()
        return every.part(0, bisect_right(every.ids, last))

    def times(self) -> tuple[int, int]:
        """The first and the last time; there must be one."""
        ats = [row[2] for row in self._young or ()]
        if self._ats is not None:
            ats += (self._ats[0], self._ats[-1]) if self._ordered else (min(self._ats), max(self._ats))
        return min(ats), max(ats)

    @property
    def first_id(self) -> int:
        """The lowest id; there must be one."""
        return self._ids[0] if self._ids is not None else self._young[0][0] if self._young is not None else 0

    def drop(self, last: int) -> int:
        """Forget those up to an id: how many there were."""
        count = 0
        if self._ids is not None:
            count = bisect_right(self._ids, last)
            if count == len(self._ids):
                self._clear()
            elif self._ats is not None and self._values is not None:
                del self._ids[:count], self._ats[:count], self._values[:count]
                if self._mores is not None:
                    del self._mores[:count]
        if self._young is not None:
            stay = [row for row in self._young if row[0] > last]
            count += len(self._young) - len(stay)
            self._young = stay or None
        return count


class Mirror:
    """All tracks. Samples come with `put` and have ids once they are settled, which needs the last id of the file."""

    def __init__(self) -> None:
        self._tracks: dict[Series, Track] = {}
        self._numbers: dict[int, Track] = {}
        self.pending: list[tuple[Track, int, Value, Attributes | None]] = []
        """Samples that have no id yet, oldest first: whoever records appends here."""
        self.count = 0
        self.last_id = 0
        self.highest = 0
        """The highest number that is known."""

    @property
    def busy(self) -> int:
        """How many tracks have rows."""
        return sum(map(bool, self._tracks.values()))

    @property
    def first_id(self) -> int | None:
        """The lowest id of all rows; None: there are none."""
        return min((track.first_id for track in self._tracks.values() if track), default=None)

    def track(self, series: Series) -> Track | None:
        """The track of a series, if there is one."""
        return self._tracks.get(series)

    def numbered(self, number: int) -> Track | None:
        """The track of that number, if there is one."""
        return self._numbers.get(number)

    def tracks(self) -> list[Track]:
        """All of them."""
        return list(self._tracks.values())

    def add(self, series: Series, value_type: str, discrete: bool, number: int = 0) -> Track:
        """The track of a series, made when there is none."""
        track = self._tracks.get(series)
        if track is None:
            track = self._tracks[series] = Track(series, value_type, discrete)
        if number:
            self.give_number(track, number)
        return track

    def give_number(self, track: Track, number: int) -> None:
        """It has a number from now on."""
        track.number = number
        self._numbers[number] = track
        self.highest = max(self.highest, number)

    def settle(self) -> list[Row]:
        """Give ids to what is pending and take it into the tracks: the rows, with their ids."""
        pending, self.pending = self.pending, []
        rows: list[Row] = []
        row_id = self.last_id
        for track, at, value, more in pending:
            row_id += 1
            row = (row_id, track, at, value, None if more is None else track.text_of(more))
            track.put(row)
            rows.append(row)
        self.last_id = row_id
        self.count += len(rows)
        return rows

    def drop(self, last: int) -> int:
        """Forget what has an id up to that one: how many there were."""
        dropped = sum(track.drop(last) for track in self._tracks.values())
        self.count -= dropped
        return dropped

    def forget(self, track: Track) -> int:
        """Forget all of a series, also what is pending: how many of them had an id."""
        count = track.drop(self.last_id)
        self.count -= count
        self.pending = [row for row in self.pending if row[0] is not track]
        return count


def _once(column: list[_Each]) -> list[_Each]:
    """What is the same is the same object, which takes less memory."""
    seen: dict[_Each, _Each] = {}
    return [each if each.__class__ not in _TEXTS else seen.setdefault(each, each) for each in column]


def rows_for_archive(snapshots: Iterable[tuple[int, Rows]]) -> Iterator[TailRow]:
    """The rows of some series by their numbers; what is as in the row before is said once."""
    for number, rows in snapshots:
        time.sleep(0)  # lets the thread of the loop go on
        said: bytes | None = None
        for place, (row_id, at, value) in enumerate(zip(rows.ids, rows.ats, rows.values, strict=True)):
            more = rows.mores[place] if rows.mores else None
            yield TailRow(row_id, number, at, value, None if more == said else more)
            said = more


def page_of(rows: Rows) -> Page:
    """The rows as an archive tells them."""
    return Page(rows.ats, rows.values, rows.mores)


def more_text(more: Attributes) -> bytes:
    """What is said beside a value, as JSON; what JSON cannot carry is left out."""
    try:
        return encode_to_keep(more)
    except CannotStore:
        return b"{}"


def storable(value: Value) -> Value:
    """The value as every file can hold it: half a surrogate pair becomes a question mark, what is no number nothing."""
    kind = type(value)
    if kind is float:
        return value if math.isfinite(value) else None  # type: ignore[arg-type]
    if kind is str:
        return value if value.isascii() else _whole_text(value)  # type: ignore[union-attr, arg-type]
    if kind is int:
        return value if -LONGEST_INTEGER <= value < LONGEST_INTEGER else _nearest(value)  # type: ignore[operator, arg-type]
    return value if value is None or kind is bool or _is_json(value) else None


def _nearest(number: int) -> float | None:
    try:
        return float(number)
    except OverflowError:
        return None


def _is_json(value: Value) -> bool:
    try:
        encode(value)
    except CannotStore:
        return False
    return True


def _whole_text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text
