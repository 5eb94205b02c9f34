"""How much is kept of definitions: the newest versions, the order in which definitions came, and what went last."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from hallway.home.values import Attributes
from hallway.store import tables
from hallway.store.definitions import (
    FEWEST_VERSIONS,
    MOST_REMOVED,
    MOST_VERSIONS,
    VERSION_BYTES,
    Definition,
    history,
    latest,
    put,
    with_versions,
)
from hallway.store.migrations import migrate
from hallway.store.rows import Batch, DefinitionRow


class Kept:
    """A database to which definitions come one after another."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        migrate(self.connection)
        self.seq = 0

    def define(self, key: str, body: Attributes | None) -> int:
        self.seq += 1
        return put(self.connection, Definition("page", key, 0, float(self.seq), None, "test", body, self.seq)).version

    def commit(self, *keys: str, body: Attributes | None) -> None:
        batch = Batch()
        for key in keys:
            self.seq += 1
            batch.put(self.seq, [DefinitionRow("page", key, self.seq, float(self.seq), None, "test", body)])
        tables.write(self.connection, batch)

    def versions(self, key: str) -> list[int]:
        return [each.version for each in history(self.connection, "page", key)]

    @property
    def rows(self) -> int:
        return int(self.connection.execute("SELECT count(*) FROM definition").fetchone()[0])


@pytest.fixture
def kept() -> Iterator[Kept]:
    kept = Kept()
    yield kept
    kept.connection.close()


def test_old_versions_are_forgotten_and_those_of_others_are_not(kept: Kept) -> None:
    kept.define("other", {"n": 0})
    for number in range(3 * MOST_VERSIONS):
        kept.define("a", {"n": number})
    last = 3 * MOST_VERSIONS
    assert kept.versions("a") == [1, *range(last - MOST_VERSIONS + 1, last + 1)]
    assert kept.versions("other") == [1]
    assert kept.define("a", {}) == last + 1


def test_of_large_ones_fewer_versions_are_kept_and_never_too_few(kept: Kept) -> None:
    for number in range(60):
        kept.define("large", {"n": number, "text": "x" * (VERSION_BYTES // 40)})
        kept.define("huge", {"n": number, "text": "x" * (VERSION_BYTES // 5)})
    assert len(kept.versions("large")) == 39 + 1
    assert len(kept.versions("huge")) == FEWEST_VERSIONS + 1


def test_definitions_stay_in_the_order_in_which_they_came(kept: Kept) -> None:
    for key in "abc":
        kept.define(key, {})
    kept.define("a", None)
    kept.define("a", {})
    before = [(key, each.since) for key, each in latest(kept.connection, "page").items()]
    assert before == [("b", 2), ("c", 3), ("a", 5)]
    for number in range(2 * MOST_VERSIONS):
        for key in "abc":
            kept.define(key, {"n": number})
    assert [(key, each.since) for key, each in latest(kept.connection, "page").items()] == before
    kept.define("b", None)
    kept.define("b", {})
    assert list(latest(kept.connection, "page")) == ["c", "a", "b"]


def test_what_waits_for_its_commit_is_counted_on_from_the_last_version(kept: Kept) -> None:
    for number in range(2 * MOST_VERSIONS):
        kept.define("a", {"n": number})
    known = history(kept.connection, "page", "a")
    waiting = [DefinitionRow("page", "a", kept.seq + 1, 0.0, None, "test", {})]
    assert with_versions(known, "a", waiting)[-1].version == 2 * MOST_VERSIONS + 1
    assert with_versions((), "a", waiting)[-1].version == 1


def test_what_was_removed_long_ago_is_forgotten_and_what_came_back_is_not(kept: Kept) -> None:
    names = [f"p{number}" for number in range(MOST_REMOVED + 20)]
    kept.commit("back", *names, body={})
    kept.commit("back", body=None)
    kept.commit("back", body={})
    kept.commit(*names, body=None)
    assert [kept.versions(name) for name in names[:20]] == [[]] * 20
    assert kept.versions(names[20]) == [1, 2]
    assert kept.versions("back") == [1, 2, 3]
    assert list(latest(kept.connection, "page")) == ["back"]
    kept.commit(names[0], body={})
    assert kept.versions(names[0]) == [1]


def test_coming_and_going_for_ever_leaves_little(kept: Kept) -> None:
    for _ in range(2 * MOST_VERSIONS):
        kept.commit("a", body={"text": "x"})
        kept.commit("a", body=None)
    assert kept.rows <= MOST_VERSIONS + 2
