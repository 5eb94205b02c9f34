"""Values of every kind for property tests: whatever JSON in UTF-8 can say."""

from __future__ import annotations

from hypothesis import strategies as st

from hallway.home.values import Attributes, Value

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
"""Texts without surrogates."""

INTEGERS = st.integers() | st.integers(-(10**40), 10**40)
NUMBERS = INTEGERS | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS


def _containers(children: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    lists: st.SearchStrategy[Value] = st.lists(children, max_size=3)
    objects: st.SearchStrategy[Value] = st.dictionaries(TEXTS, children, max_size=3)
    return lists | objects


VALUES: st.SearchStrategy[Value] = st.recursive(SCALARS, _containers, max_leaves=8)

_SAID = (
    "brightness",
    "volume_level",
    "media_title",
    "time",
    "mode",
    "valve",
    "battery",
    "next_rising",
    "unit_of_measurement",
)
ATTRIBUTES: st.SearchStrategy[Attributes] = st.dictionaries(st.sampled_from(_SAID) | TEXTS, VALUES, max_size=4)
"""Attribute objects that often hold what abilities look at."""

_STATES = (
    "on",
    "off",
    "open",
    "closed",
    "playing",
    "idle",
    "running",
    "unknown",
    "5",
    "-1.5",
    "1e308",
    "nan",
    "08:00",
    "a",
)
STATE_TEXTS = st.sampled_from(_STATES) | TEXTS
