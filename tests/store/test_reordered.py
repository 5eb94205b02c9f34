"""What a power cut leaves when a later write reached the disk and an earlier one did not: a home of one piece.

Neither was acknowledged. What an entity shows follows from the device, whatever record of it came through.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path

from hallway.clock import VirtualClock
from hallway.home.home import Home
from hallway.home.values import Attributes
from hallway.store.redo import read_segments
from hallway.store.rows import Record, StateRow, ValueRow
from hallway.store.store import Store
from tests.store.homes import HTTP, build_kept

LAMP: Attributes = {"id": "lamp", "class": "DummyDimmer", "name": "Lamp"}


def shown(home: Home) -> tuple[object, object]:
    state = home.state("light.lamp")
    assert state is not None
    return home.device("lamp").value("dimlevel"), state.attributes["brightness"]


def without(directory: Path, record: Record) -> None:
    """The log as if that record had not reached the disk."""
    for path in (directory / "redo.0", directory / "redo.1"):
        data = path.read_bytes()
        begin = data.find(b"[%d," % record.seq) - 8
        if begin >= 0:
            end = begin + 8 + int.from_bytes(data[begin : begin + 4], "little")
            path.write_bytes(data[:begin] + data[end:])


def of_lamp(records: Sequence[Record], row: type[StateRow | ValueRow]) -> list[Record]:
    return [record for record in records if any(isinstance(each, row) for each in record.rows)]


async def test_a_new_name_that_came_through_without_the_level_before_it_changes_no_level(tmp_path: Path) -> None:
    clock = VirtualClock()
    store = Store.open(tmp_path / "home", clock, 3600)
    home = build_kept(clock, store)
    store.attach(home, asyncio.get_running_loop())
    home.add_device(LAMP, "store", HTTP)
    home.act("lamp", "changeDimlevelTo", {"dimlevel": 59}, HTTP)
    home.act("lamp", "changeDimlevelTo", {"dimlevel": 69}, HTTP)
    home.change_device(LAMP | {"name": "New"}, HTTP)
    shutil.copytree(tmp_path / "home", tmp_path / "left")
    records = read_segments(tmp_path / "left")
    _made, _first, second, confirmed = of_lamp(records, ValueRow)
    assert second.seq < of_lamp(records, StateRow)[-1].seq < confirmed.seq, "the new name brings the state with it"
    for lost in (second, confirmed):
        without(tmp_path / "left", lost)
    left = Store.open(tmp_path / "left", clock, 3600)
    found = build_kept(clock, left)
    assert found.device("lamp").name == "New"
    assert shown(found) == (59, 150)
    await left.close()
    await store.close()
