"""Samples out of two places, the archive and the mirror of the tail, put together: each once, in the order of time.

While the archive is read it may take rows that the mirror showed before; each of its pages says up to where it had. It
must not know how the archive keeps them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Final

from hallway.home.past import Columns, Sample, Series, size_of
from hallway.home.values import Attributes, Value, decode, encode
from hallway.store.history.archive import Archive, Page
from hallway.store.history.tail import Rows, page_of

PIECE: Final = 4096
"""Samples that are handed on at once."""
LARGE_PIECE: Final = 256
"""Likewise of entities: what they say beside their state may be long."""


async def of_series(
    archive: Archive, number: int, rows: Rows, span: tuple[int | None, int | None], *, descending: bool = False
) -> AsyncIterator[Page]:
    """Everything of one series between two times, in pieces; the newest piece first if descending.

    rows: what the mirror showed of it before the archive was asked. Within a piece oldest first.
    """
    told: list[Rows] = []
    async for taken, page in archive.pages(number, *span, descending=descending):
        if not page.ats:
            continue
        fresh = _without(page, told, taken) if told else page
        if rows.ids:
            now, rows = _beside(rows.since(taken), page, descending=descending)
            if now.ids:
                told.append(now)
                fresh = _merged(fresh, page_of(now))
        for piece in _pieces(fresh, descending=descending):
            yield piece
    for begin, end in _places(len(rows.ids), descending=descending, large=bool(rows.mores)):
        yield page_of(rows.part(begin, end))


def _beside(rows: Rows, page: Page, *, descending: bool) -> tuple[Rows, Rows]:
    """The rows that come with a page or before it, in the order that is wanted, and the others."""
    if descending:
        place = bisect_left(rows.ats, page.ats[0])
        return rows.part(place), rows.part(0, place)
    place = bisect_right(rows.ats, page.ats[-1])
    return rows.part(0, place), rows.part(place)


def _without(page: Page, told: list[Rows], taken: int) -> Page:
    """The page without what was told already, and has been taken by the archive since then."""
    again: Counter[tuple[int, bytes]] = Counter()
    for rows in told:
        for row_id, at, value in zip(rows.ids, rows.ats, rows.values, strict=True):
            if row_id <= taken and page.ats[0] <= at <= page.ats[-1]:
                again[at, encode(value)] += 1
    if not again:
        return page
    places = []
    for place, (at, value) in enumerate(zip(page.ats, page.values, strict=True)):
        if again.get((at, encode(value)), 0):
            again[at, encode(value)] -= 1
        else:
            places.append(place)
    return _chosen(page, places)


def _merged(page: Page, rows: Page) -> Page:
    mores = [*(page.mores or [None] * len(page.ats)), *(rows.mores or [None] * len(rows.ats))]
    both = Page([*page.ats, *rows.ats], [*page.values, *rows.values], mores if page.mores or rows.mores else ())
    return _chosen(both, sorted(range(len(both.ats)), key=both.ats.__getitem__))


def _chosen(page: Page, places: Sequence[int]) -> Page:
    ats, values, mores = page.ats, page.values, page.mores
    return Page(
        [ats[place] for place in places],
        [values[place] for place in places],
        [mores[place] for place in places] if mores else (),
    )


def _pieces(page: Page, *, descending: bool) -> Iterator[Page]:
    if len(page.ats) <= LARGE_PIECE or (len(page.ats) <= PIECE and not page.mores):
        yield page
        return
    for begin, end in _places(len(page.ats), descending=descending, large=bool(page.mores)):
        part = slice(begin, end)
        yield Page(page.ats[part], page.values[part], page.mores[part])


def _places(count: int, *, descending: bool, large: bool) -> Iterator[tuple[int, int]]:
    """Where pieces of so many samples begin and end."""
    size = LARGE_PIECE if large else PIECE
    begins = range(0, count, size)
    for begin in reversed(begins) if descending else begins:
        yield begin, begin + size


# ---------------------------------------------------------------------- as they are told


class Mores:
    """Reads what is told beside values; what is as before is read once."""

    def __init__(self) -> None:
        self._text: bytes | None = None
        self._more: Attributes | None = None

    def read(self, text: bytes | None) -> Attributes | None:
        """The object, None for none."""
        if text is None:
            return None
        if text != self._text:
            value: Value = decode(text)
            self._text, self._more = text, value if isinstance(value, dict) else None
        return self._more


def columns_of(series: Series, page: Page) -> Columns:
    """A page as it is told."""
    read = Mores().read
    return Columns(series, [at / 1000 for at in page.ats], page.values, [read(more) for more in page.mores])


def samples_of(page: Page) -> list[Sample]:
    """Likewise, sample by sample."""
    if not page.mores:
        return [Sample(at / 1000, value) for at, value in zip(page.ats, page.values, strict=True)]
    read = Mores().read
    return [
        Sample(at / 1000, value, read(more)) for at, value, more in zip(page.ats, page.values, page.mores, strict=True)
    ]


def sample_of(page: Page, place: int) -> Sample:
    """One of them."""
    more = Mores().read(page.mores[place]) if page.mores else None
    return Sample(page.ats[place] / 1000, page.values[place], more)


def text_bytes(page: Page) -> int:
    """How many bytes its texts have, and what is said beside them; what is said more than once counts each time."""
    return sum(map(size_of, page.values)) + sum(map(len, filter(None, page.mores)))
