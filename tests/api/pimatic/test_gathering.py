"""Each parameter comes from the path, else the query, else the body."""

from __future__ import annotations

import pytest

from hallway.api.operations.base import Operation, Parameter
from hallway.api.pimatic.gathering import gather
from hallway.errors import InvalidInput
from hallway.home.values import Attributes

NAME = Parameter("name", "path", "whose it is")
TYPE = Parameter("type", "data", "what it is", required=True)
COUNT = Parameter("count", "data", "how many", "number")
SET = Operation("set", ("POST",), "/api/x/{name}", "Set it", "", "", lambda _hub, _ask: None, (NAME, TYPE, COUNT))
FREE = Operation("act", ("GET",), "/api/x/{name}", "Act", "", "", lambda _hub, _ask: None, (NAME,), "parameters")


def test_the_path_beats_the_query_and_the_query_the_body() -> None:
    body: Attributes = {"name": "body", "type": "body", "count": 3}
    assert gather(SET, {"name": "path"}, {"name": "query", "type": "query"}, body) == {
        "name": "path",
        "type": "query",
        "count": 3,
    }


def test_all_may_stand_in_the_body() -> None:
    assert gather(SET, {}, {}, {"name": "a", "type": "b", "other": "c"}) == {"name": "a", "type": "b"}


def test_what_is_not_declared_is_for_operations_with_free_data_only() -> None:
    found = gather(FREE, {"name": "path"}, {"state": "query"}, {"state": "body", "level": 5, "name": "body"})
    assert found == {"name": "path", "state": "query", "level": 5}


@pytest.mark.parametrize("body", [None, {}, {"type": None}])
def test_null_and_nothing_are_missing(body: dict[str, None] | None) -> None:
    with pytest.raises(InvalidInput, match="the parameter type is missing: what it is"):
        gather(SET, {"name": "a"}, {}, body)


def test_null_in_the_query_s_place_lets_the_body_speak() -> None:
    assert gather(SET, {"name": "a"}, {"type": None}, {"type": "b", "count": None}) == {"name": "a", "type": "b"}


def test_what_stands_in_the_path_is_always_needed() -> None:
    with pytest.raises(InvalidInput, match="the parameter name is missing"):
        gather(FREE, {}, {}, {})


def test_texts_are_read_as_their_types() -> None:
    assert gather(SET, {"name": "a"}, {"type": "b", "count": "5.5 W"}, None)["count"] == 5.5
    with pytest.raises(InvalidInput, match="count is 'abc'"):
        gather(SET, {"name": "a"}, {"type": "b", "count": "abc"}, None)
