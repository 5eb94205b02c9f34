"""Makes the home.db files of earlier schemas in tests/store/data: `python -m tests.store.old_homes`.

Each is made by the schema files up to its number and has rows as a hub of that schema wrote them. A file that was made
once is not made again when the schema grows: only the newest number is missing then.
"""

from __future__ import annotations

import shutil
import sqlite3
import struct
import tempfile
from contextlib import closing
from pathlib import Path
from zlib import crc32

import msgspec

from hallway.store.migrations import migrate, schema_files

DATA = Path(__file__).parent / "data"
AT = 1_780_000_000.0
DEVICES = (
    {"id": "bed_light", "class": "DummyDimmer", "name": "Bed Light"},
    {"id": "kueche", "class": "DummySwitch", "name": "Küche"},
    {"id": "outside", "class": "DummyTemperatureSensor", "name": "Outside"},
)
VARIABLES = ({"name": "comfort", "value": 21.5, "unit": "°C"}, {"name": "twice", "expression": "$comfort * 2"})
RULES = ({"id": "night", "name": "Night", "rule": "when bed_light is on then turn bed_light off", "active": True},)
REDO = (
    (101, [["s", "sensor.late", "5", {"unit_of_measurement": "W"}, AT + 50, AT + 50, "homeassistant"]]),
    (102, [["v", "bed_light", "dimlevel", 80, AT + 51, AT + 51], ["v", "bed_light", "state", True, AT + 51, AT + 51]]),
    (103, [["x", "comfort", 19], ["p", "bed_light", "later", None], ["k", "device:late", "light.late"]]),
    (104, [["n", "rule:night", "time:0", {"at": AT}], ["e", "sensor.gone"], ["d", "gone"], ["y", "gone"]]),
    (105, [["f", "group", "all", 105, AT + 60, "ann", "pimatic", {"id": "all", "name": "All", "devices": []}]]),
)
"""Records of the redo log as version 1 of it has them."""


def make(version: int, path: Path) -> None:
    """A home.db of that schema."""
    with tempfile.TemporaryDirectory() as folder, closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for number, file in schema_files().items():
            if number <= version:
                shutil.copy2(file, folder)
        connection.execute("PRAGMA page_size = 1024")
        connection.execute("PRAGMA journal_mode = WAL")
        migrate(connection, Path(folder))
        fill(connection, version)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def fill(connection: sqlite3.Connection, version: int) -> None:
    """Definitions in several versions, one that was removed, states, values, what is pending."""
    seq = 0
    for kind, things in (("device", DEVICES), ("variable", VARIABLES), ("rule", RULES)):
        for thing in things:
            key = str(thing.get("id") or thing["name"])
            for number in (1, 2):
                seq += 1
                first = number == 1 and kind != "variable"
                body: dict[str, object] = {**thing, "name": "first"} if first else {**thing}
                define(connection, version, (kind, key, number, AT + seq, "ann", "pimatic"), body, seq)
    gone: tuple[dict[str, object] | None, ...] = ({"id": "gone", "class": "DummySwitch"}, None)
    for number, was in enumerate(gone, 1):
        seq += 1
        define(connection, version, ("device", "gone", number, AT + seq, None, "homeassistant"), was, seq)
    define(connection, version, ("hub", "id", 1, AT, "hallway", "start"), {"id": "0123456789abcdef"}, 0)
    connection.execute("UPDATE progress SET last_seq = 100")
    connection.execute("INSERT INTO kept_id VALUES ('device:bed_light:light', 'light.bed_light')")
    state = ("light.bed_light", "on", '{"brightness": 76, "friendly_name": "Bed Light"}', AT, AT, "")
    posted = ("sensor.gone", "1", "{}", AT, AT, "homeassistant")
    insert = (
        "INSERT INTO state (entity_id, state, attributes, last_changed, last_updated, told_by) VALUES (?,?,?,?,?,?)"
    )
    connection.executemany(insert, (state, posted))
    values = (("bed_light", "dimlevel", "30", AT, AT), ("bed_light", "state", "true", AT, AT))
    connection.executemany(
        "INSERT INTO value VALUES (?, ?, ?, ?, ?)", (*values, ("kueche", "state", "false", AT, None))
    )
    connection.execute("INSERT INTO variable VALUES ('comfort', '22')")
    connection.execute("INSERT INTO plan VALUES ('bed_light', 'later', ?)", (AT + 1000,))
    if version >= 3:
        connection.execute("""INSERT INTO note VALUES ('rule:night', 'kept', '{"since": 1780000000.0}')""")


def define(
    connection: sqlite3.Connection, version: int, place: tuple[object, ...], body: dict[str, object] | None, seq: int
) -> None:
    """One version of a definition, in the columns that this schema has."""
    values = [*place, None if body is None else msgspec.json.encode(body).decode()]
    columns = ["kind", "id", "version", "at", "author", "door", "body"]
    if version >= 2:
        columns, values = [*columns, "seq"], [*values, seq]
    marks = ", ".join("?" * len(columns))
    connection.execute(f"INSERT INTO definition ({', '.join(columns)}) VALUES ({marks})", values)


def redo_log() -> bytes:
    """A segment of version 1."""
    frames = (msgspec.json.encode(record) for record in REDO)
    return b"hallway redo log 1\n" + b"".join(struct.pack("<II", len(each), crc32(each)) + each for each in frames)


if __name__ == "__main__":
    for number in schema_files():
        target = DATA / f"home-{number}.db"
        if not target.exists():
            make(number, target)
    if not (DATA / "redo-1.log").exists():
        (DATA / "redo-1.log").write_bytes(redo_log())
