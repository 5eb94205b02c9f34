"""The regular expressions of subString: the dialect of JavaScript, within a counted number of steps."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallway.language.evaluation import MAX_PATTERN_STEPS, ExpressionError, Run
from hallway.language.pattern_matching import compile_pattern
from tests.language.scopes import LEISURELY, House, attempt

Found = list[tuple[str | None, ...]]


def found(pattern: str, text: str, flags: str = "") -> Found:
    return compile_pattern(pattern, flags).matches(text, Run(House()))


@pytest.mark.parametrize(
    ("pattern", "text", "match"),
    [
        ("", "abc", ""),
        ("b", "abc", "b"),
        ("a.c", "xabc", "abc"),
        ("a|bc|d", "xbcd", "bc"),
        ("a|", "b", ""),
        ("[bx]", "abc", "b"),
        ("[^ab]", "abc", "c"),
        ("[a-c]+", "xcabx", "cab"),
        ("[^]+", "a\nb", "a\nb"),
        ("[-a]+", "b-a", "-a"),
        ("[a-]+", "b-a", "-a"),
        (r"[\w-]+", "!a-b", "a-b"),
        (r"[\w-z]+", "!a-z", "a-z"),
        (r"[\d.]+", "v1.2x", "1.2"),
        (r"[\D]+", "12ab3", "ab"),
        (r"[^\W_]+", "_ab_", "ab"),
        (r"[\b]", "a\bc", "\b"),
        (r"[\]\\]+", r"a\]", "\\]"),
        ("]}", "a]}", "]}"),
        (r"\d+", "a42", "42"),
        (r"\w+", "äb_1ö", "b_1"),
        (r"\s+", "a \t\u2003\ufeffb", " \t\u2003\ufeff"),
        (r"\S+", "  ab ", "ab"),
        (r"\D\W", "1a-", "a-"),
        (r"\x41\u0042\.\/", "AB./", "AB./"),
        (r"\x4", "x4", "x4"),
        (r"\n\r\t\v\f\0", "\n\r\t\v\f\0", "\n\r\t\v\f\0"),
        ("a*", "aaab", "aaa"),
        ("a*?b", "aab", "aab"),
        ("a+?", "aab", "a"),
        ("a??b", "ab", "ab"),
        ("a{2}", "aaa", "aa"),
        ("a{2,}", "aaaa", "aaaa"),
        ("a{1,2}", "aaaa", "aa"),
        ("a{1,3}?", "aaaa", "a"),
        ("a{0}b", "ab", "b"),
        ("a{1}?b", "ab", "ab"),
        ("a{,2}", "aa a{,2}", "a{,2}"),
        ("x{}", "x{}", "x{}"),
        ("(?:ab)+", "xababx", "abab"),
        ("(?:a|ab)(?:c|bcd)", "abcd", "abcd"),
        ("^a", "ba", None),
        ("b$", "ab\n", None),
        (r"\bab\b", "xab ab", "ab"),
        (r"\Bb", "b ab", "b"),
        ("a(?=b)", "acab", "a"),
        ("a(?!c).", "acab", "ab"),
        ("(?<=x)a.", "ayxaz", "az"),
        ("(?<!x)a.", "xayaz", "az"),
        (r"(?<=\d\d)x", "1x22x", "x"),
        (r"(?:\b)+a", "a", "a"),
        ("(?:)*a", "a", "a"),
        ("(?:a*)*b", "aab", "aab"),
        ("😀.", "x😀y", "😀y"),
    ],
)
def test_what_a_pattern_finds(pattern: str, text: str, match: str | None) -> None:
    matches = found(pattern, text)

    assert [whole for whole, *_ in matches] == ([] if match is None else [match])


JAVASCRIPT_SPACES = "\t\n\v\f\r \xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)


@pytest.mark.parametrize(
    ("inside", "outside", "members"),
    [
        (r"\d", r"\D", string.digits),
        (r"\w", r"\W", string.ascii_letters + string.digits + "_"),
        (r"\s", r"\S", JAVASCRIPT_SPACES),
    ],
)
def test_sets_of_characters_hold_what_they_hold_in_javascript(inside: str, outside: str, members: str) -> None:
    others = [chr(code) for code in (*range(0xD800), *range(0xE000, 0x10000), 0x10FFFF) if chr(code) not in members]
    pieces = ["".join(others[start : start + 10_000]) for start in range(0, len(others), 10_000)]

    assert found(f"^{inside}+$", members)
    assert not found(outside, members)
    assert all(found(f"^{outside}+$", piece) for piece in pieces)
    assert not any(found(inside, piece) for piece in pieces)


@pytest.mark.parametrize(
    ("pattern", "text", "groups"),
    [
        ("(a)(b)", "ab", ("ab", "a", "b")),
        ("((a)b)", "ab", ("ab", "ab", "a")),
        ("(a)|(b)", "b", ("b", None, "b")),
        ("(?<year>[0-9]+)-(?<month>[0-9]+)", "2024-03", ("2024-03", "2024", "03")),
        ("(?:(a)|b)*", "ab", ("ab", None)),
        ("(a*)*", "b", ("", None)),
        ("(?=(a))ab", "ab", ("ab", "a")),
        ("(?!(a))b", "b", ("b", None)),
        (r"(?<=(\d+)(\d+))$", "1053", ("", "1", "053")),
        (r"(a)\1", "aba a", None),
        (r"(.)\1", "abccd", ("cc", "c")),
        (r"(?<c>.)\k<c>", "abb", ("bb", "b")),
        (r"\1(a)", "aa", ("a", "a")),
        (r"(x)?\1a", "a", ("a", None)),
        (r"(?<=^\1(ab))x", "abx", None),
        (r"(?<=^\1(ab))x", "ababx", ("x", "ab")),
        ("(a)(b)(c)((?:d|e)*)(f)", "abcdedf", ("abcdedf", "a", "b", "c", "ded", "f")),
    ],
)
def test_what_its_groups_hold(pattern: str, text: str, groups: tuple[str | None, ...] | None) -> None:
    assert found(pattern, text) == ([] if groups is None else [groups])


@pytest.mark.parametrize(
    ("pattern", "text", "flags", "matches"),
    [
        ("a", "aba", "g", ["a", "a"]),
        ("a*", "baa", "g", ["", "aa", ""]),
        ("", "ab", "g", ["", "", ""]),
        ("B", "abB", "i", ["b"]),
        ("[A-C]+", "xabcX", "i", ["abc"]),
        ("[^A]", "aAb", "i", ["b"]),
        ("ÖÄ", "öä", "i", ["öä"]),
        ("ss", "ß", "i", []),
        ("k", "\u212a", "i", []),
        (r"(a)\1", "aA", "i", ["aA"]),
        ("a.b", "a\nb", "", []),
        ("a.b", "a\nb", "s", ["a\nb"]),
        ("^b$", "a\nb\nc", "", []),
        ("^b$", "a\nb\nc", "m", ["b"]),
        ("^.", "a\nb", "gm", ["a", "b"]),
        ("b", "ab", "y", []),
        ("a", "ab", "y", ["a"]),
        ("ab", "ababxab", "gy", ["ab", "ab"]),
        ("b", "abc", "u", ["b"]),
    ],
)
def test_flags(pattern: str, text: str, flags: str, matches: list[str]) -> None:
    assert [whole for whole, *_ in found(pattern, text, flags)] == matches


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("(a", "never closed"),
        ("a)", "closes nothing"),
        ("[a", "never closed"),
        ("*a", "nothing to repeat"),
        ("a**", "nothing to repeat"),
        ("a|+", "nothing to repeat"),
        ("{2}", "nothing to repeat"),
        ("a{2}{3}", "nothing to repeat"),
        ("^*", "cannot be repeated"),
        (r"\b+", "cannot be repeated"),
        ("(?<=a)+", "cannot be repeated"),
        ("a{3,2}", "wrong order"),
        ("[b-a]", "wrong order"),
        ("a{1001}", "1000 times at most"),
        ("a{99999999999999999999}", "1000 times at most"),
        ("(?#x)", "have a meaning"),
        ("(?i)a", "have a meaning"),
        ("(?<1>a)", "must be a word"),
        ("(?<n>a)(?<n>b)", "two groups"),
        ("a\\", "needs a character"),
        (r"\1", "no group 1"),
        (r"(a)\2", "no group 2"),
        (r"\k<n>", "no group n"),
        ("a" * 1_001, "too long"),
        ("(" * 41 + ")" * 41, "nested"),
        ("(?:a{1000}){1000}", "too large"),
        ("(?:(?:(?:){1000}){1000}){1000}", "too large"),
        ("(?=(?:a{1000}){1000})", "too large"),
    ],
)
def test_what_is_no_pattern_is_refused_with_the_reason(pattern: str, told: str) -> None:
    with pytest.raises(ExpressionError, match=told):
        compile_pattern(pattern, "")


@pytest.mark.parametrize("flags", ["x", "gg", "G", "null", "g i"])
def test_unknown_or_repeated_flags_are_refused(flags: str) -> None:
    with pytest.raises(ExpressionError, match="flags"):
        compile_pattern("a", flags)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a+)+$", "a" * 30 + "!"),
        ("(a|a)*$", "a" * 30 + "!"),
        ("(.*)*x", "a" * 60),
        ("(?:a?){30}a{30}b", "a" * 30),
        (r"(\w+)\1+$", "ab" * 2_000 + "!"),
        ("(?=(a+)+$)b", "a" * 30 + "!"),
        ("b", "a" * (MAX_PATTERN_STEPS + 1)),
    ],
)
def test_a_pattern_that_would_take_too_long_ends_with_an_error(pattern: str, text: str) -> None:
    with pytest.raises(ExpressionError, match=f"more than {MAX_PATTERN_STEPS} steps"):
        found(pattern, text)


def test_the_steps_left_are_those_of_the_run() -> None:
    run = Run(House())
    pattern = compile_pattern("[0-9]+", "")

    assert pattern.matches("x" * 100 + "12", run) == [("12",)]
    after_one = run.steps
    pattern.matches("x" * 100 + "12", run)
    assert MAX_PATTERN_STEPS - after_one == after_one - run.steps > 100


SIGNS = "abcAB12 _-."
ATOMS = st.one_of(
    st.sampled_from([*map(re.escape, SIGNS), "[a-c]", "[^a]", r"[\d_]", r"\d", r"\w", r"\s", r"\W", "."]),
)
REPEATS = st.sampled_from(["", "", "", "*", "+", "?", "{2}", "{1,2}", "{2,}", "*?", "+?", "??"])
PARTS = st.builds(str.__add__, ATOMS, REPEATS)


def grouped(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Groups that hold at least one character, for on empty rounds the two dialects differ."""
    opening = st.sampled_from(["(", "(?:", "(?=", "(?!"])
    group = st.builds("{}{}{}){}".format, opening, ATOMS, inner, st.sampled_from(["", "", "?"]))
    return st.lists(st.one_of(PARTS, group, st.sampled_from(["^", r"\b", "|"])), max_size=4).map("".join)


PATTERNS = st.recursive(st.lists(PARTS, max_size=3).map("".join), grouped, max_leaves=6)


@LEISURELY
@given(pattern=PATTERNS, text=st.text(SIGNS, max_size=12), flags=st.sampled_from(["", "i", "s", "m"]))
def test_python_finds_the_same_where_the_dialects_agree(pattern: str, text: str, flags: str) -> None:
    options = {"": 0, "i": re.IGNORECASE, "s": re.DOTALL, "m": re.MULTILINE}[flags] | re.ASCII
    expected = re.search(pattern, text, options)

    assert [whole for whole, *_ in found(pattern, text, flags)] == ([expected[0]] if expected else [])


@LEISURELY
@given(pattern=st.text("ab(){}[]|*+?^$\\.,123:=!<>-dwsbk", max_size=20), text=st.text("ab1 ", max_size=20))
def test_whatever_the_pattern_the_outcome_is_a_match_or_an_expression_error(pattern: str, text: str) -> None:
    matches = attempt(lambda: found(pattern, text))

    assert isinstance(matches, ExpressionError) or all(whole in text for whole, *_ in matches if whole is not None)
