"""The router: routes are found as the API of 2014 reads paths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallway.api.router import ANYTHING, Router


def router() -> Router[str]:
    routes: Router[str] = Router()
    routes.add("/api/", "root")
    routes.add("/api/states", "states")
    routes.add("/api/states/{entity_id}", "state", open_ended=True)
    routes.add("/api/services/{domain}/{service}", "service", open_ended=True)
    routes.add("/api/closed/{name}", "closed")
    return routes


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/api/", ("root", ())),
        ("/api/states", ("states", ())),
        ("/api/states/a.b", ("state", ("a.b",))),
        ("/api/states/A.b_1", ("state", ("A.b_1",))),
        ("/api/states/a.b-c", ("state", ("a.b",))),
        ("/api/states/a.b/c/d", ("state", ("a.b",))),
        ("/api/states/a.b%20", ("state", ("a.b",))),
        ("/api/services/light/turn_on", ("service", ("light", "turn_on"))),
        ("/api/services/light/turn_on/x", ("service", ("light", "turn_on"))),
        ("/api/closed/a", ("closed", ("a",))),
        ("/api/closed/a-b", None),
        ("/api/closed/a/b", None),
        ("/api/services/li-ght/turn_on", None),
        ("/api/services/light", None),
        ("/api/states/", None),
        ("/api/states/-", None),
        ("/api", None),
        ("/", None),
        ("", None),
        ("api/states", None),
    ],
)
def test_a_path_leads_to_its_target(path: str, found: object) -> None:
    assert router().find(path) == found


def test_a_route_is_found_by_itself_too() -> None:
    assert router().at("/api/states/{entity_id}") == "state"
    assert router().at("/api/states/a.b") is None


@given(st.text())
def test_any_text_is_a_path_that_leads_somewhere_or_nowhere(path: str) -> None:
    found = router().find(path)
    assert found is None or isinstance(found[0], str)


@given(st.lists(st.sampled_from(["api", "states", "services", "a.b", "", "-", "x-y"])))
def test_parameters_are_words_only(segments: list[str]) -> None:
    found = router().find("/" + "/".join(segments))
    for parameter in found[1] if found else ():
        assert parameter.replace(".", "").replace("_", "").isalnum()


def loose() -> Router[str]:
    routes: Router[str] = Router(ANYTHING, loose=True)
    routes.add("/api/Things", "things")
    routes.add("/api/things/{name}", "thing")
    routes.add("/api/things/{name}/parts/{part}", "part")
    return routes


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/api/things", ("things", ())),
        ("/API/THINGS/", ("things", ())),
        ("/api/things/Lamp-1", ("thing", ("Lamp-1",))),
        ("/api/things/a%2Fb", ("thing", ("a%2Fb",))),
        ("/api/things/a.b/", ("thing", ("a.b",))),
        ("/Api/Things/X/Parts/Y", ("part", ("X", "Y"))),
        ("/api/things//", None),
        ("/api/things//parts/y", None),
        ("/api/things/x/parts", None),
        ("/api", None),
        ("/", None),
        ("", None),
    ],
)
def test_a_loose_router_cares_neither_for_case_nor_for_a_slash_at_the_end(path: str, found: object) -> None:
    assert loose().find(path) == found
