"""Several series in the order of time: memory holds a window, and a window is no more than fits."""

from __future__ import annotations

from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.home.past import Sample, Series
from hallway.store.history import windows
from hallway.store.history.windows import Found, Windows
from tests.store.history.pasts import Past, chunks

T0 = 1_800_000_000.0
TWO = [Series("attribute", "radio", name) for name in ("title", "artist")]


@pytest.mark.parametrize("descending", [False, True])
async def test_of_long_texts_a_window_holds_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, descending: bool
) -> None:
    monkeypatch.setattr(windows, "MOST_BYTES", 50_000)
    past = Past(tmp_path, VirtualClock(T0), chunks)
    await past.open()
    for number in range(1000):
        for series in TWO:
            past.record(series, T0 + number, f"{number} " + 500 * "x", kind="string")
    await past.store.flow.fold()
    held = list[int]()
    found_in = Windows._found

    async def noted(self: Windows, begin: int, end: int) -> Found | None:
        found = await found_in(self, begin, end)
        held.append(len(found or ()))
        return found

    monkeypatch.setattr(Windows, "_found", noted)
    told = list[Sample]()
    async for piece in past.store.merged(TWO, descending=descending):
        told += [sample for _series, sample in piece]
    expected = past.of(*TWO)
    assert [sample.at for sample in told] == [sample.at for sample in (expected[::-1] if descending else expected)]
    assert max(held) <= 100
    await past.close()
