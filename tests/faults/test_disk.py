"""The disk of the tests itself: what was synced is sure, all else may be lost, torn or reordered, and it can fail."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.disk import Orders, compiled, entries, environment
from tests.faults.power import Power

BEGIN = "import os\nfolder = os.open('.', os.O_RDONLY)\n"
WRITE = "file = os.open('a', os.O_RDWR | os.O_CREAT)\nos.write(file, b'1' * 2000)\n"
OVERWRITE = "os.pwrite(file, b'2' * 2000, 0)\n"

Outcomes = Callable[[str], set[tuple[tuple[str, bytes], ...]]]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("library"))


@pytest.fixture
def outcomes(tmp_path: Path, library: Path) -> Outcomes:
    """All that may be there when the power is cut after a program: files with what is in them."""

    def run(program: str) -> set[tuple[tuple[str, bytes], ...]]:
        disk, log = tmp_path / "disk", tmp_path / "log"
        disk.mkdir()
        told = environment(library, disk, log)
        power, chance, found = Power(disk), random.Random(1), set()
        subprocess.run([sys.executable, "-c", BEGIN + program], cwd=disk, env=told, check=True)
        for entry in entries(log):
            power.take(entry)
        for number in range(200):
            image = tmp_path / f"image{number}"
            power.cut(chance, image)
            found.add(tuple((path.name, path.read_bytes()) for path in sorted(image.iterdir())))
        return found

    return run


def test_what_was_synced_is_there(outcomes: Outcomes) -> None:
    assert outcomes(WRITE + "os.fsync(file)\nos.fsync(folder)\n") == {(("a", b"1" * 2000),)}


def test_a_synced_file_can_be_lost_with_its_name(outcomes: Outcomes) -> None:
    assert outcomes(WRITE + "os.fsync(file)\n") == {(), (("a", b"1" * 2000),)}


def test_what_was_not_synced_can_be_lost_torn_and_longer_than_it_is(outcomes: Outcomes) -> None:
    found = {dict(outcome)["a"] for outcome in outcomes(WRITE + "os.fsync(folder)\n")}
    assert {b"", b"1" * 2000} <= found
    assert any(0 < text.count(0) < len(text) for text in found)


def test_sectors_that_were_overwritten_are_old_or_new(outcomes: Outcomes) -> None:
    found = outcomes(WRITE + "os.fsync(file)\nos.fsync(folder)\n" + OVERWRITE)
    texts = {dict(outcome)["a"] for outcome in found}
    assert {b"1" * 2000, b"2" * 2000, b"1" * 512 + b"2" * 512 + b"1" * 512 + b"2" * 464} <= texts
    assert all(text[at : at + 512] in {b"1" * 512, b"2" * 512} for text in texts for at in (0, 512, 1024))


def test_what_was_cut_off_can_come_back_behind_something_new(outcomes: Outcomes) -> None:
    program = WRITE + "os.fsync(file)\nos.fsync(folder)\nos.ftruncate(file, 0)\nos.pwrite(file, b'3' * 512, 0)\n"
    texts = {dict(outcome)["a"] for outcome in outcomes(program)}
    assert {b"3" * 512, b"1" * 2000, b"3" * 512 + b"1" * 1488} <= texts


def test_what_was_cut_off_is_gone_as_a_whole_or_not_at_all(outcomes: Outcomes) -> None:
    program = WRITE + "os.fsync(file)\nos.fsync(folder)\nos.ftruncate(file, 0)\n"
    assert outcomes(program) == {(("a", b"1" * 2000),), (("a", b""),)}


def test_a_rename_is_done_or_not_and_never_half(outcomes: Outcomes) -> None:
    program = WRITE + "os.fsync(file)\nos.fsync(folder)\nos.rename('a', 'b')\n"
    assert outcomes(program) == {(("a", b"1" * 2000),), (("b", b"1" * 2000),)}


def test_writing_in_a_way_that_cannot_be_seen_is_refused(outcomes: Outcomes) -> None:
    with pytest.raises(AssertionError, match="a is written in a way that cannot be seen"):
        outcomes(WRITE + "import mmap\nmmap.mmap(file, 10)\n")


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (lambda orders: orders.full(left=5), "5 No space left on device 3 ok"),
        (lambda orders: orders.full("b"), "9 3 ok"),
        (lambda orders: orders.read_only(), "Read-only file system Read-only file system Read-only file system"),
        (lambda orders: orders.broken("a"), "Input/output error Input/output error Input/output error"),
    ],
)
def test_it_fails_as_it_is_told(tmp_path: Path, library: Path, order: Callable[[Orders], None], expected: str) -> None:
    orders, said = Orders(tmp_path / "orders"), []
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "a").write_bytes(b"there")
    program = """
import os, sys
file = os.open('a', os.O_RDWR)
os.lseek(file, 0, 2)
sys.stdin.readline()
def tried(do, *what):
    try:
        print(do(*what) or 'ok')
    except OSError as error:
        print(error.strerror)
tried(os.write, file, b'appended!')
tried(os.write, file, b'!') if sys.argv[1:] else None
tried(os.pwrite, file, b'new', 0)
tried(os.fsync, file)
"""
    command = [sys.executable, "-c", program, *(["more"] if "No space" in expected else [])]
    told = environment(library, tmp_path / "disk", orders=orders.path)
    with subprocess.Popen(
        command, cwd=tmp_path / "disk", env=told, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        order(orders)
        said = child.communicate("go\n")[0].split("\n")
    assert " ".join(said).strip() == expected
    assert (orders.refused > 0) is (expected != "9 3 ok")
