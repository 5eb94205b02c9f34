"""What can be on a disk after the power was cut: from what was done to the files to one of the possible outcomes.

Sure is what was synced: data by a sync of the file, names by a sync of the directory. Of the rest anything may be
there: sectors of 512 bytes in any of their versions, lengths and names likewise. It must not know what is in the files.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hallway.store.lock import LOCK, boot_id
from tests.faults.disk import Entry, What

SECTOR = 512


class Change(NamedTuple):
    """A write or (data is None) a new length that is not sure yet. when: the how manieth thing that was done."""

    when: int
    at: int
    data: bytes | None


class Naming(NamedTuple):
    """Names that came or went together and are not sure yet: (folder, name, what has it now)."""

    when: int
    names: tuple[tuple[Folder, str, File | Folder | None], ...]


class File:
    """sure: what is on the disk for sure; changes: what was done since then; synced: when it was synced."""

    def __init__(self, content: bytes = b"") -> None:
        self.sure = bytearray(content)
        self.changes: list[Change] = []
        self.synced = -1

    def now(self) -> bytearray:
        """What the process sees."""
        content = bytearray(self.sure)
        for change in self.changes:
            apply(content, change)
        return content

    def sync(self, when: int) -> None:
        """Everything that was done before is sure."""
        for change in self.changes:
            if change.when < when:
                apply(self.sure, change)
        self.changes = [change for change in self.changes if change.when >= when]
        self.synced = max(self.synced, when)


class Folder:
    """names: as the process sees them; sure: as they are on the disk for sure."""

    def __init__(self) -> None:
        self.names: dict[str, File | Folder] = {}
        self.sure: dict[str, File | Folder] = {}


def apply(content: bytearray, change: Change) -> None:
    at, data = change.at, change.data
    if data is None:
        del content[at:]
        content.extend(bytes(at - len(content)))
    else:
        content.extend(bytes(max(0, at - len(content))))
        content[at : at + len(data)] = data


class Power:
    """The files of a directory while things are done to them, and how they may look when the power is cut."""

    def __init__(self, directory: Path) -> None:
        self.root = Folder()
        self._inodes: dict[int, File | Folder] = {}
        self._index = 0
        self._syncs: dict[int, int] = {}
        self._namings: list[Naming] = []
        self._read(directory, self.root)

    def _read(self, directory: Path, folder: Folder) -> None:
        for path in directory.iterdir():
            there: File | Folder = Folder() if path.is_dir() else File(path.read_bytes())
            folder.names[path.name] = folder.sure[path.name] = there
            if isinstance(there, Folder):
                self._read(path, there)

    # ------------------------------------------------------------------ what is done

    def take(self, entry: Entry) -> None:
        """Something was done to the files."""
        self._index += 1
        match entry.what:
            case What.CREATE:
                made = self._inodes[entry.file] = File()
                self._name((*self._place(entry.name), made))
            case What.KNOWN:
                self._inodes[entry.file] = self._there(entry.name)
            case What.WRITE:
                self._file(entry.file).changes.append(Change(self._index, entry.number, entry.data))
            case What.TRUNCATE:
                self._file(entry.file).changes.append(Change(self._index, entry.number, None))
            case What.SYNC_BEGIN:
                self._syncs[entry.number] = self._index
            case What.SYNC_END:
                self._synced(self._inodes[entry.file], self._syncs.pop(entry.number))
            case What.MKDIR:
                self._name((*self._place(entry.name), Folder()))
            case What.UNLINK | What.RMDIR:
                self._name((*self._place(entry.name), None))
            case What.RENAME:
                old, _, new = entry.name.partition("\n")
                self._name((*self._place(new), self._there(old)), (*self._place(old), None))
            case What.LINK:
                old, _, new = entry.name.partition("\n")
                self._name((*self._place(new), self._there(old)))
            case What.MMAP:
                assert entry.name.endswith("-shm"), f"{entry.name} is written in a way that cannot be seen"
            case What.MARK:
                pass

    def _file(self, inode: int) -> File:
        file = self._inodes[inode]
        assert isinstance(file, File)
        return file

    def _there(self, name: str) -> File | Folder:
        if name == ".":
            return self.root
        folder, last = self._place(name)
        return folder.names[last]

    def _place(self, name: str) -> tuple[Folder, str]:
        *folders, last = name.split("/")
        folder = self.root
        for each in folders:
            inner = folder.names[each]
            assert isinstance(inner, Folder)
            folder = inner
        return folder, last

    def _name(self, *names: tuple[Folder, str, File | Folder | None]) -> None:
        for folder, name, there in names:
            rename(folder.names, name, there)
        self._namings.append(Naming(self._index, names))

    def _synced(self, there: File | Folder, when: int) -> None:
        if isinstance(there, File):
            there.sync(when)
            return
        left = []
        for naming in self._namings:
            if naming.when < when and any(folder is there for folder, _name, _there in naming.names):
                for folder, name, named in naming.names:
                    rename(folder.sure, name, named)
            else:
                left.append(naming)
        self._namings = left

    # ------------------------------------------------------------------ the cut

    def cut(self, chance: random.Random, there: Path) -> None:
        """Write one of the possible outcomes into a directory that does not exist yet."""
        kept = self._kept(chance)
        how = chance.choice(("nothing", "all", "some", "some", "some"))
        names: dict[int, dict[str, File | Folder]] = {}
        for naming in self._namings:
            if naming in kept:
                for folder, name, named in naming.names:
                    rename(names.setdefault(id(folder), dict(folder.sure)), name, named)
        self._write(self.root, there, names, chance, how)
        for lock in there.rglob(LOCK):
            booted_anew(lock)

    def _kept(self, chance: random.Random) -> set[Naming]:
        """The names that made it: any, or as with a journal all up to some moment, files that were synced included."""
        if chance.random() < 0.5:
            share = chance.choice((0.0, 0.5, 1.0))
            return {naming for naming in self._namings if chance.random() < share}
        certain = [
            naming.when
            for naming in self._namings
            for _folder, _name, there in naming.names
            if isinstance(there, File) and there.synced > naming.when
        ]
        moment = max([chance.randint(0, self._index), *certain])
        return {naming for naming in self._namings if naming.when <= moment}

    def _write(
        self,
        folder: Folder,
        path: Path,
        names: dict[int, dict[str, File | Folder]],
        chance: random.Random,
        how: str,
    ) -> None:
        path.mkdir(mode=0o700)
        for name, there in names.get(id(folder), folder.sure).items():
            if isinstance(there, Folder):
                self._write(there, path / name, names, chance, how)
            elif not name.endswith("-shm"):  # SQLite's own memory: it is made anew at start
                (path / name).write_bytes(outcome(there, chance, how))


def booted_anew(lock: Path) -> None:
    """This machine stays up: let what a hub wrote down of it tell of the time before, as after a power cut."""
    lock.write_bytes(lock.read_bytes().replace(boot_id().encode(), b"before the power was cut"))


def moment(done: list[Entry], chance: random.Random) -> int:
    """Anywhere, or where something that matters was done shortly before."""
    index = chance.randrange(len(done))
    if chance.random() < 0.5:
        while index and done[index].what in {What.MARK, What.WRITE}:
            index -= 1
        index = min(index + chance.choice((0, 0, 1, 2, 5)), len(done) - 1)
    return index


def rename(names: dict[str, File | Folder], name: str, there: File | Folder | None) -> None:
    if there is None:
        names.pop(name, None)
    else:
        names[name] = there


def outcome(file: File, chance: random.Random, how: str) -> bytes | bytearray:
    """What may be in a file after the power was cut."""
    changes = file.changes
    if how == "all":
        return file.now()
    if how == "nothing" or not changes:
        return file.sure
    way = chance.choice(("first ones", "torn", "sectors", "sectors"))
    content = bytearray(file.sure)
    if way == "sectors":
        return sectors(content, changes, chance)
    whole = chance.randint(0, len(changes))
    for change in changes[:whole]:
        apply(content, change)
    if way == "torn" and whole < len(changes):
        content = sectors(content, changes[whole : whole + 1], chance)
    return content


def sectors(content: bytearray, changes: Sequence[Change], chance: random.Random) -> bytearray:
    """Each sector in one of its versions, and the length in one of its own.

    What is cut off goes with the length and as a whole: a file that is as long as before has it still.
    """
    version: defaultdict[int, int] = defaultdict(lambda: chance.randint(0, len(changes)))
    lengths = lengths_of(content, changes)
    last_length = chance.randint(0, len(changes))
    for number, change in enumerate(changes, 1):
        begin, data = change.at, change.data
        if data is None:
            if number <= last_length:
                content[begin:] = bytes(max(0, len(content) - begin))  # empty if the file grows again
            continue
        end = begin + len(data)
        content.extend(bytes(max(0, end - len(content))))
        for sector in range(begin - begin % SECTOR, end, SECTOR):
            if number <= version[sector]:
                first, last = max(sector, begin), min(sector + SECTOR, end)
                content[first:last] = data[first - begin : last - begin]
    length = lengths[last_length]
    del content[length:]
    content.extend(bytes(length - len(content)))
    return content


def lengths_of(content: bytearray, changes: Sequence[Change]) -> list[int]:
    """How long the file is before the first change and after each."""
    lengths = [len(content)]
    for change in changes:
        lengths.append(change.at if change.data is None else max(lengths[-1], change.at + len(change.data)))
    return lengths
