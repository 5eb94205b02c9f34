"""The redo log: what was appended comes back in order, and a damaged end costs only what is behind the damage."""

from __future__ import annotations

import errno
import logging
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hallway.errors import Unavailable
from hallway.store.redo import HEADER, Redo, encode
from hallway.store.rows import PlanRow, Record, VariableRow


def record(seq: int) -> Record:
    return Record(seq, [VariableRow("answer", {"ünicode": [seq, None, 2**70]}), PlanRow("watch", "tick", None)])


def append(redo: Redo, *seqs: int) -> None:
    for seq in seqs:
        redo.append(encode((seq, record(seq).rows)))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[], tuple[Redo, list[Record]]]]:
    """Opens the log of tmp_path and reads it; what was open before is closed."""
    last: list[Redo] = []

    def close() -> None:
        while last:
            last.pop().close()

    def open_one() -> tuple[Redo, list[Record]]:
        close()
        last.append(Redo(tmp_path))
        return last[0], last[0].read()

    yield open_one
    close()


Opened = Callable[[], tuple[Redo, list[Record]]]


def test_what_was_appended_comes_back_in_order_over_both_segments(opened: Opened) -> None:
    redo, found = opened()
    assert found == []
    append(redo, 1, 2)
    redo.switch()
    append(redo, 3)
    redo.switch()
    append(redo, 4)
    assert opened()[1] == [record(seq) for seq in (1, 2, 3, 4)]


def test_an_emptied_segment_is_gone_and_the_other_stays(opened: Opened) -> None:
    redo, _ = opened()
    append(redo, 1)
    before = redo.switch()
    append(redo, 2)
    full = redo.size
    before.empty()
    assert redo.size < full
    assert opened()[1] == [record(2)]
    opened()[0].clear()
    redo, found = opened()
    assert (found, redo.size) == ([], 0)


def test_a_record_is_one_write(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    redo, _ = opened()
    written: list[bytes] = []
    real = os.write

    def write(fd: int, data: bytes) -> int:
        written.append(data)
        return real(fd, data)

    monkeypatch.setattr(os, "write", write)
    append(redo, 1, 2)
    redo.switch()
    append(redo, 3)
    assert len(written) == 3


def test_a_tail_that_is_torn_at_any_byte_costs_the_last_record_only(
    tmp_path: Path, opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    redo, _ = opened()
    append(redo, 1, 2)
    good = (tmp_path / "redo.1").stat().st_size
    append(redo, 3)
    whole = (tmp_path / "redo.1").read_bytes()
    for length in range(good, len(whole)):
        caplog.clear()
        (tmp_path / "redo.1").write_bytes(whole[:length])
        redo, found = opened()
        assert found == [record(1), record(2)], length
        assert len(caplog.records) == (length > good)
        append(redo, 4)
        assert opened()[1] == [record(1), record(2), record(4)], length


def test_a_tail_with_any_byte_changed_costs_the_last_record_only(tmp_path: Path, opened: Opened) -> None:
    redo, _ = opened()
    append(redo, 1)
    good = (tmp_path / "redo.1").stat().st_size
    append(redo, 2)
    whole = (tmp_path / "redo.1").read_bytes()
    for at in range(good, len(whole)):
        (tmp_path / "redo.1").write_bytes(whole[:at] + bytes([whole[at] ^ 0x20]) + whole[at + 1 :])
        assert opened()[1] == [record(1)], at


@pytest.mark.parametrize("tail", [bytes(4096), b"\xff" * 50, b"\0", HEADER])
def test_rubbish_behind_the_last_record_is_cut_off(tmp_path: Path, opened: Opened, tail: bytes) -> None:
    redo, _ = opened()
    append(redo, 1)
    with (tmp_path / "redo.1").open("ab") as file:
        file.write(tail)
    assert opened()[1] == [record(1)]


def test_damage_in_the_middle_costs_one_record_and_is_said(
    tmp_path: Path, opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    redo, _ = opened()
    append(redo, 1)
    good = redo.size
    append(redo, 2, 3)
    redo.switch()
    append(redo, 4)
    data = bytearray((tmp_path / "redo.1").read_bytes())
    data[len(HEADER) + good + 20] ^= 1
    (tmp_path / "redo.1").write_bytes(data)
    redo, found = opened()
    assert found == [record(1), record(3), record(4)]
    assert str(redo.damage).startswith("redo.1 was damaged at byte")
    append(redo, 5)
    redo, found = opened()
    assert found == [record(1), record(3), record(4), record(5)]
    assert redo.damage is None
    (said,) = (entry.getMessage() for entry in caplog.records if entry.levelno == logging.WARNING)
    assert "redo.1 was damaged at byte" in said


GAPS = pytest.mark.parametrize("gap", [b"\1\2\3\4", bytes(8), bytes(16), b"y" * 16])


@GAPS
@pytest.mark.parametrize("end", [b"", bytes(100), b"\xff" * 9])
@pytest.mark.parametrize("power_cut", [False, True])
def test_what_is_whole_behind_a_damaged_place_is_kept_whatever_stands_there(
    tmp_path: Path, gap: bytes, end: bytes, *, power_cut: bool
) -> None:
    offsets = written(tmp_path)
    data = bytearray((tmp_path / "redo.1").read_bytes())
    data[offsets[2] + 20 : offsets[2] + 20 + len(gap)] = gap
    (tmp_path / "redo.1").write_bytes(data + end)
    lost = offsets[3] - offsets[2] + len(end)
    told = f"redo.1 was damaged at byte {offsets[2]}: 17 later records could be read, {lost} bytes are cut off"
    assert looked_at(tmp_path, power_cut=power_cut) == ([1, 2, *range(4, 21)], told)


def test_of_two_damaged_places_one_after_the_other_is_told(tmp_path: Path) -> None:
    offsets = written(tmp_path)
    data = bytearray((tmp_path / "redo.1").read_bytes())
    for number in (3, 9):
        data[offsets[number] + 20 : offsets[number] + 30] = bytes(10)
    (tmp_path / "redo.1").write_bytes(data)
    found, damage = looked_at(tmp_path)
    assert found == [seq for seq in range(1, 21) if seq not in {4, 10}]
    assert str(damage).startswith(f"redo.1 was damaged at byte {offsets[3]}: 15 later records could be read")


def test_sectors_that_are_not_there_are_damage_unless_the_power_was_cut(tmp_path: Path) -> None:
    offsets = written(tmp_path)
    data = (tmp_path / "redo.1").read_bytes()
    broken = data[:512] + bytes(512) + data[1024:]
    before = [seq for seq, at in enumerate(offsets[1:], 1) if at <= 512]
    behind = [seq for seq, at in enumerate(offsets, 1) if at >= 1024]
    (tmp_path / "redo.1").write_bytes(broken)
    found, damage = looked_at(tmp_path)
    assert found == before + behind
    assert f"{len(behind)} later records could be read" in str(damage)
    (tmp_path / "redo.1").write_bytes(broken)
    found, damage = looked_at(tmp_path, power_cut=True)
    assert found == before
    assert f"{len(behind)} whole records behind it cannot be used" in str(damage)
    assert looked_at(tmp_path) == (before, None)


def test_a_write_that_a_kill_cut_in_two_is_no_loss(tmp_path: Path) -> None:
    offsets = written(tmp_path)
    data = (tmp_path / "redo.1").read_bytes()
    number = next(number for number, at in enumerate(offsets) if at > 1024) - 1
    (tmp_path / "redo.1").write_bytes(data[:1024])
    assert looked_at(tmp_path) == (list(range(1, number + 1)), None)


@pytest.mark.parametrize("power_cut", [False, True])
def test_an_end_that_no_kill_leaves_is_told_unless_the_power_was_cut(tmp_path: Path, *, power_cut: bool) -> None:
    offsets = written(tmp_path)
    data = (tmp_path / "redo.1").read_bytes()
    for end in (data[: offsets[19] + 31], data[: offsets[19] + 5], data[: offsets[19]] + bytes(60)):
        (tmp_path / "redo.1").write_bytes(end)
        found, damage = looked_at(tmp_path, power_cut=power_cut)
        assert found == list(range(1, 20))
        assert damage == (
            None
            if power_cut
            else f"redo.1 was damaged at byte {offsets[19]}: {len(end) - offsets[19]} bytes are cut off"
        )


def written(directory: Path) -> list[int]:
    """A log of twenty records; where each begins."""
    for each in directory.glob("redo.*"):
        each.unlink()
    redo, offsets = Redo(directory), []
    redo.read()
    for seq in range(1, 21):
        offsets.append((directory / "redo.1").stat().st_size)
        append(redo, seq)
    redo.close()
    return offsets


def looked_at(directory: Path, *, power_cut: bool = False) -> tuple[list[int], str | None]:
    """The numbers that are found, and what is told of the rest."""
    redo = Redo(directory)
    try:
        return [each.seq for each in redo.read(power_cut=power_cut)], redo.damage
    finally:
        redo.close()


def test_what_a_power_cut_brings_back_of_an_earlier_use_of_the_file_is_cut_off(tmp_path: Path, opened: Opened) -> None:
    redo, _ = opened()
    append(redo, 7, 8, 9)
    old = (tmp_path / "redo.1").read_bytes()
    redo.clear()
    append(redo, 20)
    new = (tmp_path / "redo.1").read_bytes()
    (tmp_path / "redo.1").write_bytes(new + old[len(HEADER) :])
    assert opened()[1] == [record(20)]
    assert (tmp_path / "redo.1").read_bytes() == new
    append(redo := opened()[0], 21)
    newer = (tmp_path / "redo.1").read_bytes()[len(new) :]
    redo.clear()
    for behind, told in ((b"", None), (newer, "redo.1 has a hole, as a power cut leaves it, or was damaged: 1 whole")):
        (tmp_path / "redo.1").write_bytes(new + old[len(HEADER) :] + behind)
        found, damage = looked_at(tmp_path, power_cut=True)
        assert found == [20]
        assert damage is None if told is None else str(damage).startswith(told)


@pytest.mark.parametrize("begin", [b"", HEADER[:5], HEADER[:-1], bytes(len(HEADER)), b"something else, and longer"])
def test_a_segment_without_its_beginning_is_begun_anew(tmp_path: Path, opened: Opened, begin: bytes) -> None:
    (tmp_path / "redo.1").write_bytes(begin)
    redo, found = opened()
    assert found == []
    append(redo, 1)
    assert opened()[1] == [record(1)]


@pytest.mark.parametrize("begin", [b"hallway redo log 2\n", b"hallway redo log 10\n"])
def test_a_segment_of_a_newer_hub_is_refused_and_left_as_it_is(tmp_path: Path, begin: bytes) -> None:
    (tmp_path / "redo.1").write_bytes(begin + b"new things")
    with pytest.raises(Unavailable, match=r"redo\.1 was written by a newer hallway"):
        Redo(tmp_path)
    assert (tmp_path / "redo.1").read_bytes() == begin + b"new things"


@pytest.mark.parametrize("begin", [b"hallway redo log 0\n", b"hallway redo log 1\x0b", b"hallway redo log 3\x1a"])
def test_a_header_that_is_none_is_damage_and_does_not_keep_the_hub_from_starting(tmp_path: Path, begin: bytes) -> None:
    redo = Redo(tmp_path)
    redo.read()
    redo.append(encode((7, ())))
    redo.close()
    segment = tmp_path / "redo.1"
    segment.write_bytes(begin + segment.read_bytes()[len(HEADER) :])
    again = Redo(tmp_path)
    assert [record.seq for record in again.read()] == [7]
    assert "was damaged at byte 0" in str(again.damage)
    again.close()


def test_a_record_that_is_whole_but_not_understood_is_left_out_alone(tmp_path: Path, opened: Opened) -> None:
    redo, _ = opened()
    append(redo, 1)
    redo.append(b'[2,[["of another kind",1]]]')
    append(redo, 3)
    assert opened()[1] == [record(1), record(3)]


def test_a_write_that_is_taken_in_part_leaves_nothing_behind(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    redo, _ = opened()
    append(redo, 1)
    size, real = redo.size, os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:11]))
    with pytest.raises(OSError, match="No space left"):
        append(redo, 2)
    monkeypatch.undo()
    assert redo.size == size
    append(redo, 3)
    assert opened()[1] == [record(1), record(3)]


def test_a_write_that_fails_leaves_the_log_as_it_was(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    redo, _ = opened()
    append(redo, 1)

    def fail(_fd: int, _data: bytes) -> int:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "write", fail)
    with pytest.raises(OSError, match="Input/output"):
        append(redo, 2)
    monkeypatch.undo()
    append(redo, 3)
    assert opened()[1] == [record(1), record(3)]


def test_one_record_can_take_the_place_of_all_in_the_active_segment(opened: Opened) -> None:
    redo, _ = opened()
    append(redo, 1)
    redo.switch()
    append(redo, 2, 3, 4)
    size = redo.size
    redo.rewrite(encode((4, record(4).rows)))
    assert redo.size < size
    append(redo, 5)
    assert opened()[1] == [record(1), record(4), record(5)]


def test_a_rewrite_that_fails_changes_nothing(tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    redo, _ = opened()
    append(redo, 1, 2)
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:11]))
    with pytest.raises(OSError, match="No space left"):
        redo.rewrite(encode((2, record(2).rows)))
    monkeypatch.undo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["redo.0", "redo.1"]
    append(redo, 3)
    assert opened()[1] == [record(1), record(2), record(3)]


def test_a_rewrite_that_a_kill_cut_short_leaves_no_file_behind(tmp_path: Path, opened: Opened) -> None:
    append(opened()[0], 1)
    (tmp_path / "redo.1.new").write_bytes(HEADER + b"half of someth")
    assert opened()[1] == [record(1)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["redo.0", "redo.1"]


def test_only_the_owner_can_read_it(tmp_path: Path, opened: Opened) -> None:
    redo, _ = opened()
    append(redo, 1)
    redo.rewrite(encode((1, record(1).rows)))
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_directory_that_is_not_there_is_said_clearly(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"redo\.0 cannot be opened: No such file"):
        Redo(tmp_path / "nowhere")
