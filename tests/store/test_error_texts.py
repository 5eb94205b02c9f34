"""Whatever byte of a definition changes by itself: nothing that is told of it holds what stands in the row."""

from __future__ import annotations

import ast
import asyncio
import logging
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import hallway.store
from hallway.clock import VirtualClock
from hallway.errors import HallwayError, Unavailable
from hallway.proving import built
from hallway.store import generations
from hallway.store.backup import Wanted, make
from hallway.store.error_texts import said
from hallway.store.store import Store
from tests.store.conftest import OpenStore

SECRET = "scrypt$c2VjcmV0LXNhbHQ$aGFzaC1vZi1hLXBhc3N3b3Jk"
PARTS = (b'"username"', b'"ann"', SECRET.encode()[:12], b'"password"')


def test_what_sqlite_quotes_is_left_out() -> None:
    error = sqlite3.OperationalError(f"Could not decode to UTF-8 column 'body' with text '{SECRET}'")
    assert said(error) == "Could not decode to UTF-8 column 'body'"
    assert said(sqlite3.DatabaseError()) == "DatabaseError"


async def test_no_secret_is_told_when_a_definition_is_garbled(
    open_store: OpenStore, clock: VirtualClock, directory: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    store = open_store()
    await store.define("user", "ann", {"username": "ann", "password": SECRET}, None, "test")
    await store.close()
    good = (directory / "home.db").read_bytes()
    told: list[str] = []
    refused: list[str] = []
    chance = random.Random(7)
    for number in range(24):
        part = PARTS[number % len(PARTS)]
        data = bytearray(good)
        at = data.index(part) + chance.randrange(len(part))
        data[at] = 0xFF if number < len(PARTS) else chance.randrange(256)
        home = tmp_path / f"{number}"
        home.mkdir()
        (home / "home.db").write_bytes(data)
        try:
            await asyncio.to_thread(make, home, tmp_path / f"{number}.tar", clock, built, Wanted())
        except HallwayError as error:
            refused.append(error.message)
        try:
            generations.keep(home / "home.db", 0)
        except Exception as error:  # noqa: BLE001 - all are looked at
            told.append(str(error))
        with closing(sqlite3.connect(home / "home.db")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        opened = Store.open(home, clock)
        told.append(str(opened.problem))
        await opened.close()
    assert sum("damaged" in each for each in told) > len(PARTS)
    assert len(refused) >= len(PARTS)
    assert not any(".damaged-" in each or "it was mended" in each for each in refused)
    everything = "\n".join([*told, *refused, caplog.text])
    assert SECRET[7:] not in everything
    assert '{"username' not in everything


async def test_no_secret_is_told_when_a_definition_is_garbled_while_the_hub_runs(
    open_store: OpenStore, directory: Path
) -> None:
    store = open_store()
    await store.define("user", "ann", {"username": "ann", "password": SECRET}, None, "test")
    with closing(sqlite3.connect(directory / "home.db")) as other:
        garbled = b'{"user\xffname": "ann", "password": "' + SECRET.encode() + b'"}'
        other.execute("UPDATE definition SET body = CAST(? AS TEXT)", (garbled,))
        other.commit()
    with pytest.raises(Unavailable) as told:
        store.definitions("user")
    assert str(told.value) == "home.db cannot be read: a text is no UTF-8"


def handlers() -> Iterator[tuple[str, ast.ExceptHandler]]:
    (root,) = hallway.store.__path__
    for path in sorted(Path(root).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ExceptHandler) and node.type and "sqlite3." in ast.unparse(node.type):
                yield f"{path.name}:{node.lineno}", node


def test_no_error_of_sqlite_gets_into_a_sentence_as_it_is() -> None:
    faults = [
        where
        for where, handler in handlers()
        for node in ast.walk(handler)
        if (isinstance(node, ast.FormattedValue) and ast.unparse(node.value) == handler.name)
        or (isinstance(node, ast.Call) and ast.unparse(node) == f"str({handler.name})")
    ]
    assert faults == []
