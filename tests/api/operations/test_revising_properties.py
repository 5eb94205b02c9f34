"""Whatever is edited, undone, done again and restored, over restarts and kills: the home is as it was then."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hallway.errors import HallwayError
from tests.api.operations.revised import Picture, Revised

DEVICES = ("lamp", "fan", "heat", "door")
CLASSES = ("DummySwitch", "DummyDimmer", "DummyTemperatureSensor")
EVERYTHING = {"deviceId": "*", "attributeName": "*", "type": "*"}
NAMES = st.sampled_from(["one", "two", "three"])


def _edits() -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    device = st.sampled_from(DEVICES)
    variable = st.sampled_from(["x", "y", "z"])
    config = st.builds(lambda i, n, c: {"id": i, "name": n, "class": c}, device, NAMES, st.sampled_from(CLASSES))
    sentence = st.builds("when {} is on then turn {} off".format, device, device)
    expression = st.one_of(
        st.builds(lambda v, n: {"name": v, "type": "value", "valueOrExpression": n}, variable, st.integers(0, 9)),
        st.builds(lambda v, o: {"name": v, "type": "expression", "valueOrExpression": f"${o} + 1"}, variable, variable),
    )
    member = st.sampled_from(
        [("Device", "deviceId", DEVICES), ("Rule", "ruleId", ("r1", "r2")), ("Variable", "variableName", ("x", "y"))]
    )
    group, page, rule = st.sampled_from(["g1", "g2"]), st.sampled_from(["p1", "p2"]), st.sampled_from(["r1", "r2"])
    return st.one_of(
        st.builds(lambda c: ("addDeviceByConfig", {"deviceConfig": c}), config),
        st.builds(lambda c: ("updateDeviceByConfig", {"deviceConfig": c}), config),
        st.builds(lambda i: ("removeDevice", {"deviceId": i}), device),
        st.builds(lambda e: ("addVariable", e), expression),
        st.builds(lambda e: ("updateVariable", e), expression),
        st.builds(lambda n: ("removeVariable", {"name": n}), variable),
        st.builds(
            lambda i, n, s: ("addRuleByString", {"ruleId": i, "rule": {"name": n, "ruleString": s}, "force": True}),
            rule, NAMES, sentence,
        ),
        st.builds(lambda i, s: ("updateRuleByString", {"ruleId": i, "rule": {"ruleString": s}}), rule, sentence),
        st.builds(lambda i: ("removeRule", {"ruleId": i}), rule),
        st.builds(lambda i, n: ("addGroup", {"groupId": i, "group": {"name": n}}), group, NAMES),
        st.builds(lambda i: ("removeGroup", {"groupId": i}), group),
        st.builds(
            lambda g, m, n: (f"add{m[0]}ToGroup", {"groupId": g, m[1]: m[2][n % len(m[2])]}),
            group, member, st.integers(0, 3),
        ),
        st.builds(lambda i, n: ("addPage", {"pageId": i, "page": {"name": n, "allowedRoles": ["admin"]}}), page, NAMES),
        st.builds(lambda i: ("updatePage", {"pageId": i, "page": {"allowedRoles": None}}), page),
        st.builds(lambda i: ("removePage", {"pageId": i}), page),
        st.builds(lambda p, d: ("addDeviceToPage", {"pageId": p, "deviceId": d}), page, device),
        st.builds(lambda o: ("updateDeviceOrder", {"deviceOrder": o}), st.permutations(DEVICES)),
        st.builds(lambda o: ("updateVariableOrder", {"variableOrder": o}), st.permutations(["x", "y", "z"])),
        st.builds(lambda o: ("updateGroupOrder", {"groupOrder": o}), st.permutations(["g1", "g2"])),
        st.builds(
            lambda n: ("addScene", {"sceneId": "s1", "scene": {"name": n, "entities": {"switch.lamp": "on"}}}), NAMES
        ),
        st.just(("removeScene", {"sceneId": "s1"})),
        st.builds(
            lambda t: ("setDeviceAttributeLogging", {"attributeLogging": [{**EVERYTHING, "expire": t}]}),
            st.sampled_from(["7d", "8d"]),
        ),
    )  # fmt: skip


WAYS = st.one_of(
    st.tuples(st.just("edit"), _edits()),
    st.tuples(st.just("edit"), _edits()),
    st.tuples(st.just("edit"), _edits()),
    st.tuples(st.just("undo"), st.integers(0, 5)),
    st.tuples(st.just("alone"), st.integers(0, 5)),
    st.tuples(st.just("restore"), st.integers(0, 30)),
    st.tuples(st.sampled_from(["restart", "kill", "commit"]), st.just(0)),
)


class Life:
    """A hub that is edited, and how it looked after each act."""

    def __init__(self, folder: Path) -> None:
        self.hub = Revised(folder)
        self.acts: list[tuple[int, Picture, Picture]] = []
        """Number of the last revision of each act, and the home before and after it."""

    async def go(self, way: str, what: Any) -> None:
        before = self.hub.picture()
        number = self.hub.store.revisions.newest()
        self.hub.clock.advance(0.01)
        try:
            if way == "edit":
                await self.hub.ask(what[0], **what[1])
            elif way == "undo":
                await self.undo(what)
            elif way == "alone":
                await self.alone(what)
            elif way == "restore":
                await self.restore(what)
            elif way == "commit":
                await self.hub.commit()
            else:
                await (self.hub.restart() if way == "restart" else self.hub.kill())
        except HallwayError:
            if not (way == "edit" and what[0] == "addRuleByString"):  # with `force` it is kept, and complained of
                assert self.hub.picture() == before
                assert self.hub.store.revisions.newest() == number
        after = self.hub.picture()
        if way in ("restart", "kill", "commit"):
            assert after == before
        if self.hub.store.revisions.newest() > number:
            self.acts.append((self.hub.store.revisions.newest(), before, after))

    async def undo(self, back: int) -> None:
        """The last act leads back to how it was before; one before that only if nobody touched it since."""
        if back >= len(self.acts):
            return
        number, before, _after = self.acts[-1 - back]
        dry = await self.hub.ask("undoRevision", revision=number, dryRun=True)
        done = await self.hub.ask("undoRevision", revision=number)
        assert done["changes"] == dry["changes"]
        if back == 0:
            assert self.hub.picture() == before

    async def alone(self, back: int) -> None:
        found = await self.hub.ask("getRevisions", limit=back + 1)
        if back < len(found):
            revision = await self.hub.ask("getRevision", revision=found[back]["revision"])
            done = await self.hub.ask("undoRevision", revision=revision["revision"], alone=True)
            if revision["kind"] not in ("order", "setting"):
                which = revision["kind"], revision["id"]
                assert (which in self.hub.picture()) is (revision["was"] is not None), done

    async def restore(self, which: int) -> None:
        if self.acts:
            number, _before, after = self.acts[which % len(self.acts)]
            dry = await self.hub.ask("restore", revision=number, dryRun=True)
            done = await self.hub.ask("restore", revision=number)
            assert done["changes"] == dry["changes"]
            assert self.hub.picture() == after
            again = await self.hub.ask("restore", revision=number)
            assert (again["changes"], again["orders"], again["act"]) == ([], {}, None)


async def live(ways: list[tuple[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        life = Life(Path(folder))
        try:
            for way, what in ways:
                await life.go(way, what)
        finally:
            await life.hub.store.close()


@settings(max_examples=40, deadline=None)
@given(st.lists(WAYS, min_size=3, max_size=25))
def test_the_home_is_as_it_was_then(ways: list[tuple[str, Any]]) -> None:
    asyncio.run(live(ways))
