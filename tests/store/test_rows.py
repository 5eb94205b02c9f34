"""What is kept of each change, and how many changes become one batch."""

from __future__ import annotations

import pytest

from hallway.home.changes import (
    AnyChange,
    Context,
    Defined,
    Fired,
    Ordered,
    Planned,
    Said,
    State,
    StateChange,
    Updated,
    VariableSet,
)
from hallway.home.messages import Message
from hallway.store.redo import encode
from hallway.store.rows import (
    AnyRow,
    Batch,
    DefinitionRow,
    DeviceFresh,
    EntityGone,
    KeptId,
    PlanRow,
    StateRow,
    ValueRow,
    VariableFresh,
    VariableRow,
    rows_of,
)

BY_HAND, BY_FORMULA = Context("homeassistant"), Context("formula")
BY_ANN = Context("pimatic", user="ann")
NEW = State("light.a", "on", {"brightness": 3}, 10.0, 20.0)
MOVED = (StateChange("light.a", None, NEW, "reported"),)
SHOWN = StateRow("light.a", "on", {"brightness": 3}, 10.0, 20.0, "reported")


@pytest.mark.parametrize(
    ("change", "rows"),
    [
        (Updated(1, 20.0, BY_HAND, "a", {}, {}, MOVED), [SHOWN]),
        (Updated(1, 20.0, BY_HAND, "a", {"x": 1}, {"x": 2}, ()), [ValueRow("a", "x", 2, 20.0, 20.0)]),
        (Updated(1, 20.0, BY_HAND, "a", {"x": 2}, {"x": 2}, ()), [ValueRow("a", "x", 2, 20.0, None)]),
        (Updated(1, 20.0, BY_HAND, "a", {"x": 1}, {"x": True}, ()), [ValueRow("a", "x", True, 20.0, 20.0)]),
        (Updated(1, 20.0, BY_FORMULA, "a", {"x": 1}, {"x": 2}, MOVED), [SHOWN]),
        (VariableSet(1, 20.0, BY_HAND, "v", 1, 1, MOVED), [SHOWN, VariableRow("v", 1)]),
        (VariableSet(1, 20.0, BY_FORMULA, "v", 1, 2, MOVED), [SHOWN]),
        (Planned(1, 20.0, BY_HAND, "a", "tick", 25.0), [PlanRow("a", "tick", 25.0)]),
        (Planned(1, 20.0, BY_HAND, "a", "tick", None), [PlanRow("a", "tick", None)]),
        (Fired(1, 20.0, BY_HAND, "something", {}), []),
        (Defined(1, 20.0, BY_HAND, "device", "a", None, {"id": "a"}, MOVED, "file"), [DeviceFresh("a"), SHOWN]),
        (Defined(1, 20.0, BY_HAND, "device", "a", {"id": "a"}, {"id": "a"}, ()), []),
        (Defined(1, 20.0, BY_HAND, "device", "a", None, {"id": "a", "class": "reported"}, MOVED, "reported"), [SHOWN]),
        (
            Defined(1, 20.0, BY_HAND, "device", "a", {"id": "a"}, None, (StateChange("light.a", NEW, None),), "file"),
            [DeviceFresh("a"), EntityGone("light.a")],
        ),
        (Defined(1, 20.0, BY_HAND, "variable", "v", None, {"name": "v"}, (), "file"), [VariableFresh("v")]),
        (Defined(1, 20.0, BY_HAND, "variable", "v", {"name": "v"}, None, (), "file"), [VariableFresh("v")]),
        (Defined(1, 20.0, BY_HAND, "group", "g", None, {"id": "g"}, MOVED, "file"), [SHOWN]),
        (
            Defined(7, 20.0, BY_ANN, "device", "a", None, {"id": "a"}, MOVED),
            [DeviceFresh("a"), SHOWN, DefinitionRow("device", "a", 7, 20.0, "ann", "pimatic", {"id": "a"})],
        ),
        (
            Defined(7, 20.0, BY_ANN, "rule", "r", {"id": "r", "active": True}, {"id": "r", "active": 1}, ()),
            [DefinitionRow("rule", "r", 7, 20.0, "ann", "pimatic", {"id": "r", "active": 1})],
        ),
        (
            Defined(7, 20.0, BY_ANN, "variable", "v", {"name": "v"}, None, ()),
            [VariableFresh("v"), DefinitionRow("variable", "v", 7, 20.0, "ann", "pimatic", None)],
        ),
        (
            Ordered(7, 20.0, BY_ANN, "page", ("b",), ("b", "a")),
            [DefinitionRow("order", "page", 7, 20.0, "ann", "pimatic", {"order": ["b", "a"]})],
        ),
        (Said(7, 20.0, BY_ANN, Message(7, 20.0, "info", "hello")), []),
    ],
)
def test_what_is_kept_of_a_change(change: AnyChange, rows: list[AnyRow]) -> None:
    assert rows_of(change) == rows


def test_of_each_thing_the_last_counts() -> None:
    batch = Batch()
    batch.put(1, [SHOWN, VariableRow("v", 1), PlanRow("a", "tick", 1.0), KeptId("o", "light.a")])
    batch.put(2, [EntityGone("light.a"), VariableFresh("v"), PlanRow("a", "tick", None), KeptId("o", "light.b")])
    last = [EntityGone("light.a"), VariableFresh("v"), PlanRow("a", "tick", None), KeptId("o", "light.b")]
    assert (batch.seq, batch.rows(), len(batch)) == (2, last, 4)


def test_all_versions_of_a_definition_are_kept() -> None:
    first, second = (DefinitionRow("page", "p", seq, 1.0, None, "pimatic", {"name": str(seq)}) for seq in (1, 2))
    batch = Batch()
    batch.put(1, [first])
    batch.put(2, [second])
    assert batch.rows() == [first, second]


def test_a_value_that_is_confirmed_keeps_the_time_of_its_change() -> None:
    batch = Batch()
    batch.put(1, [ValueRow("a", "x", 1, 10.0, 10.0)])
    batch.put(2, [ValueRow("a", "x", 1, 12.0, None)])
    assert batch.rows() == [ValueRow("a", "x", 1, 12.0, 10.0)]


def test_a_device_that_begins_anew_has_only_the_values_since_then() -> None:
    batch = Batch()
    batch.put(1, [ValueRow("a", "x", 1, 10.0, 10.0), ValueRow("b", "x", 1, 10.0, 10.0)])
    batch.put(2, [DeviceFresh("a")])
    batch.put(3, [ValueRow("a", "y", 2, 12.0, 12.0)])
    rows = [DeviceFresh("a"), ValueRow("b", "x", 1, 10.0, 10.0), ValueRow("a", "y", 2, 12.0, 12.0)]
    assert batch.rows() == rows
    again = Batch()
    again.put(3, batch.rows())
    assert again.rows() == rows


def test_a_reported_state_is_short_in_the_log() -> None:
    assert encode((7, [SHOWN])) == b'[7,[["s","light.a","on",{"brightness":3},10.0,20.0,"reported"]]]'


def test_an_empty_batch_has_no_number() -> None:
    numbered = Batch()
    numbered.put(5, ())
    assert [(batch.seq, batch.empty, len(batch)) for batch in (Batch(), numbered)] == [(0, True, 0), (5, False, 0)]
