"""Expressions as people write them: what they are made of, what they are worth, and how they fail."""

import math

import pytest

from hallway.errors import HallwayError
from hallway.home.values import Value
from hallway.language.expressions import UNDEFINED, ExpressionError, Result, parse
from hallway.language.parser import MAX_DEPTH, MAX_LENGTH, MAX_TOKENS
from tests.language.scopes import VARIABLES, House, result_of

Tokens = list[str | float | int]


@pytest.mark.parametrize(
    ("text", "tokens", "value"),
    [
        ("7", [7], 7),
        ("0", [0], 0),
        ("007", [7], 7),
        ("-0", [0], 0),
        ("5.", [5], 5),
        ("-2.50", [-2.5], -2.5),
        ("1.10", [1.1], 1.1),
        ("98765432109876543210", [98765432109876540000], 98765432109876540000),
        ("3000000000000000000000", [3e21], 3e21),
        ("3+4", [3, "+", 4], 7),
        ("3 +4", [3, "+", 4], 7),
        ("3+ 4", [3, "+", 4], 7),
        ("3 - -4", [3, "-", -4], 7),
        ("3--4", [3, "-", -4], 7),
        ("-3-4", [-3, "-", 4], -7),
        ("3*-4", [3, "*", -4], -12),
        ("9 / 4", [9, "/", 4], 2.25),
        ("20 - 5 - 3", [20, "-", 5, "-", 3], 12),
        ("80 / 4 / 2", [80, "/", 4, "/", 2], 10),
        ("80 / (4 / 2)", [80, "/", "(", 4, "/", 2, ")"], 40),
        ("2 + 3 * 4 - 1", [2, "+", 3, "*", 4, "-", 1], 13),
        ("( 2 + 3 ) * 4", ["(", 2, "+", 3, ")", "*", 4], 20),
        ("(((8)))", ["(", "(", "(", 8, ")", ")", ")"], 8),
        ("0.1 + 0.2", [0.1, "+", 0.2], 0.30000000000000004),
        ("$n", ["$n"], 10),
        ("$n-1", ["$n", "-", 1], 9),
        ("$a", ["$a"], 3),
        ("$ab", ["$ab"], 30),
        ("$ab + $a", ["$ab", "+", "$a"], 33),
        ("$light.level-1", ["$light.level", "-", 1], 39),
        ("$light-1.level-1", ["$light-1.level", "-", 1], 40),
        ("$two words * 2", ["$two words", "*", 2], 10),
        ("$grün+1", ["$grün", "+", 1], 7),
        ("min(1,2)", ["min", "(", 1, ",", 2, ")"], 1),
        ("min ( 1 , 2 )", ["min", "(", 1, ",", 2, ")"], 1),
        ("min( )", ["min", "(", ")"], UNDEFINED),
        ("min(1, 2,)", ["min", "(", 1, ",", 2, ",", ")"], 1),
        ("pow(3 , )", ["pow", "(", 3, ",", ")"], 9),
        ("max(min(4, 2), 3) * 2", ["max", "(", "min", "(", 4, ",", 2, ")", ",", 3, ")", "*", 2], 6),
        ('min("$n", 3)', ["min", "(", '""', "$n", '""', ",", 3, ")"], 3),
    ],
)  # fmt: skip
def test_an_expression_has_tokens_and_a_value(text: str, tokens: Tokens, value: Result) -> None:
    expression = parse(text, VARIABLES)

    assert expression.text == text
    assert list(expression.tokens) == tokens
    assert [type(token) for token in expression.tokens] == [type(token) for token in tokens]
    assert expression.result(House()) == value


@pytest.mark.parametrize(
    ("text", "tokens", "value"),
    [
        ('""', ['""'], ""),
        ('"snow ☃ 😀"', ['"snow ☃ 😀"'], "snow ☃ 😀"),
        ('"$n"', ['""', "$n", '""'], "10"),
        ('"$n$half"', ['""', "$n", '""', "$half", '""'], "102.5"),
        ('"n=$n."', ['"n="', "$n", '"."'], "n=10."),
        ('"$light.level%"', ['""', "$light.level", '"%"'], "40%"),
        ('"$light.level.level"', ['""', "$light.level", '".level"'], "40.level"),
        ('"$ab$a"', ['""', "$ab", '""', "$a", '""'], "303"),
        ('"{$n + 1}"', ['""', "(", "$n", "+", 1, ")", '""'], "11"),
        ('"{ $n + 1 } of { 2 * 6 }"', ['""', "(", "$n", "+", 1, ")", '" of "', "(", 2, "*", 6, ")", '""'], "11 of 12"),
        ('"a {"b {$n}"} c"', ['"a "', "(", '"b "', "(", "$n", ")", '""', ")", '" c"'], "a b 10 c"),
        ('"}"', ['"}"'], "}"),
        ('"{1}}"', ['""', "(", 1, ")", '"}"'], "1}"),
        (r'"\"\$\{\}\\"', ['""${}\\"'], '"${}\\'),
        (r'"\$n"', ['"$n"'], "$n"),
        (r'"a\nb\rc"', ['"a\nb\rc"'], "a\nb\rc"),
        (r'"\t\d"', [r'"\t\d"'], r"\t\d"),
        (r'"\\n"', [r'"\n"'], r"\n"),
        ('"line\nbreak"', ['"line\nbreak"'], "line\nbreak"),
    ],
)
def test_a_text_fills_in_what_is_marked(text: str, tokens: Tokens, value: str) -> None:
    expression = parse(text, VARIABLES)

    assert list(expression.tokens) == tokens
    assert expression.evaluate(House()) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"{10 / 4} {10 / 5} {0 * -1}"', "2.5 2 0"),
        ('"{0.000001} {0.0000001} {1 / 3}"', "0.000001 1e-7 0.3333333333333333"),
        ('"{100000000000000000000} {1000000000000000000000}"', "100000000000000000000 1e+21"),
        ('"$big {0 - $big}"', "1e+30 -1e+30"),
        ('"{1 / 0} {-1 / 0} {0 / 0}"', "Infinity -Infinity NaN"),
        ('"$yes $no $null $never"', "true false null undefined"),
        ('"$list|$odd-list|$empty-list|$object"', "1,2|3x,,true,1,[object Object]||[object Object]"),
        ('"{min()}"', "undefined"),
    ],
)
def test_values_in_a_text_are_written_as_javascript_writes_them(text: str, value: str) -> None:
    assert result_of(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$null + 1", 1),
        ("$apples + 1", 13),
        ("$spaced + 1", 8),
        ("$exponent + 1", 1001),
        ("$endless + 1", math.inf),
        ("$list + 1", 2),
        ("$odd-list + 1", 4),
        ("$big * 0", 0),
        ("timeFormat(5.5) + 1", 6),
        ("hexString(16) * 2", 20),
    ],
)
def test_arithmetic_takes_the_number_that_a_value_begins_with(text: str, value: float) -> None:
    assert result_of(text) == value


@pytest.mark.parametrize("text", ["min() + 1", 'subString("a", "b") * 2', "0 / 0", "1 / 0 - 1 / 0", "1 / 0 * 0"])
def test_arithmetic_without_a_number_is_nan(text: str) -> None:
    value = result_of(text)

    assert isinstance(value, float)
    assert math.isnan(value)


@pytest.mark.parametrize(
    ("text", "value"), [("1 / 0", math.inf), ("-1 / 0", -math.inf), ("1 / (0 * -1)", -math.inf), ("0 / 5", 0)]
)
def test_division_by_zero_is_infinite(text: str, value: float) -> None:
    assert result_of(text) == value


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("word", '"hello"'),
        ("nothing", '""'),
        ("yes", "true"),
        ("never", "without a value"),
        ("object", "an object"),
        ("empty-list", "a list"),
        ("nan", "NaN"),
    ],
)
def test_arithmetic_refuses_a_variable_that_is_no_number(name: str, told: str) -> None:
    with pytest.raises(ExpressionError, match="where a number is needed") as caught:
        result_of(f"1 + ${name}")

    assert caught.value.position == 4
    assert told in caught.value.message
    assert f"${name}" in caught.value.message


@pytest.mark.parametrize("name", ["word", "nothing", "quote", "yes", "null", "never", "list", "object", "big"])
def test_a_variable_alone_keeps_its_value_whatever_it_is(name: str) -> None:
    assert result_of(f"${name}") == VARIABLES[name]
    assert result_of(f"(${name})") == VARIABLES[name]


def test_evaluate_shows_undefined_as_null() -> None:
    assert parse("$never", VARIABLES).evaluate(House()) is None
    assert parse("min()", ()).evaluate(House()) is None


def test_whole_results_are_ints() -> None:
    assert [type(result_of(text)) for text in ("5 / 2 * 2", "round(2.5)", "0 * -1", "10.0")] == [int] * 4


def test_an_expression_knows_the_variables_it_depends_on() -> None:
    expression = parse('min($n, $light.level) + round("{$n}$half {"$ab"}")', VARIABLES)

    assert expression.variables == {"n", "light.level", "half", "ab"}
    assert parse("1 + 1", VARIABLES).variables == frozenset()


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("5", ""),
        ("$n", ""),
        ("$watt", "W"),
        ("($watt)", "W"),
        ("$watt + $hour", "W"),
        ("$n - $watt", "W"),
        ("1 + $watt", "W"),
        ("$watt - 1", "W"),
        ("$watt * $hour", "W*h"),
        ("$n * $watt", "W"),
        ("$watt * 2", "W"),
        ("$watt / $hour", "W/h"),
        ("$watt / 2", "W"),
        ("1 / $hour", "1/h"),
        ("$n / $hour", "1/h"),
        ("$watt / $watt / $watt", "W/W/W"),
        ("$watt / ($hour * $hour)", "W/h*h"),
        ("min($watt)", ""),
        ("min($watt) * $hour", "h"),
        ('"$watt"', ""),
    ],
)
def test_the_unit_follows_from_the_units_of_the_variables(text: str, unit: str) -> None:
    assert parse(text, VARIABLES).unit(House()) == unit


@pytest.mark.parametrize(
    ("text", "position", "told"),
    [
        ("", 0, "the expression ends"),
        ("1 +", 3, "ends where"),
        ("1 + ", 4, "ends where"),
        ("* 2", 0, "`* 2` stands where"),
        (".5", 0, "a number, a $variable, a function"),
        ("+5", 0, "a number, a $variable, a function"),
        ("1 2", 1, "an operator"),
        ("2 ^ 3", 1, "an operator"),
        ("1 > 0", 1, "an operator"),
        ("1 + 2)", 5, "an operator"),
        ("(1)(2)", 3, "an operator"),
        ("$n$n", 2, "an operator"),
        ("1 ", 1, "a space too many"),
        ("1  + 1", 1, "a space too many"),
        (" 1", 0, "a number"),
        ("1e3", 1, "an operator"),
        ("1.5.2", 3, "an operator"),
        ("()", 1, "a number"),
        ("-(5)", 0, "write 0 - "),
        ("-$n", 0, "write 0 - "),
        ("'a'", 0, "double quotes"),
        ('"a" + "b"', 3, "an operator"),
        ('1 + "b"', 4, "join them inside one text"),
        ('("a")', 1, "join them inside one text"),
        ('"never ended', 0, 'no " that ends it'),
        (r'"never ended\"', 0, 'no " that ends it'),
        ('"{}"', 2, "an expression is needed"),
        ('"{1 +}"', 5, "a number"),
        ('"{1', 3, "the } of the part"),
        ('"{1 2}"', 3, "the } of the part"),
        ('"$"', 1, "the name of a variable is needed"),
        ('"5 $ more"', 3, "the name of a variable is needed"),
        ("$", 0, "the name of a variable is needed"),
        ("1 + $missing", 4, "there is no variable $missing"),
        ("$nmissing", 2, "of the name only $n is a variable"),
        ("$N", 0, "there is no variable $N"),
        ('"{"$missing"}"', 3, "there is no variable $missing"),
        ("nofunction(1)", 0, "there is no function nofunction"),
        ("Min(1)", 0, "there is no function Min"),
        ("min", 3, "the ( of min"),
        ("min  (1)", 3, "the ( of min"),
        ("min(1", 5, "a comma or the )"),
        ("min(1,", 6, "a number"),
        ("min(1 2)", 5, "a comma or the )"),
        ("min(,1)", 4, "a number"),
        ("min(1,,2)", 6, "a number"),
        ("min(1,  2)", 7, "a number"),
        ("pow(1;2)", 5, "pow(base, [exponent])"),
        ("9" * 400, 0, "too large"),
    ],
)
def test_what_cannot_be_read_is_refused_with_place_and_reason(text: str, position: int, told: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text, VARIABLES)

    assert caught.value.position == position
    assert told in caught.value.message
    assert caught.value.message.startswith(f"at character {position + 1}: ")


def test_an_expression_error_is_one_of_the_errors_of_the_hub() -> None:
    with pytest.raises(HallwayError) as caught:
        parse("1 +", ())

    assert caught.value.code == "expression"
    assert caught.value.status == 400
    assert str(caught.value) == caught.value.message


@pytest.mark.parametrize(
    ("text", "tokens", "position"),
    [
        ("(1 + 2", ["(", 1, "+", 2], 0),
        ("((1)", ["(", "(", 1, ")"], 0),
        ("(1 + (2", ["(", 1, "+", "(", 2], 0),
        ("min((1, 2)", ["min", "(", "(", 1, ",", 2, ")"], 4),
        ('"{(1}"', ['""', "(", "(", 1, ")", '""'], 2),
    ],
)
def test_a_bracket_never_closed_is_read_but_has_no_value(text: str, tokens: Tokens, position: int) -> None:
    expression = parse(text, VARIABLES)

    assert list(expression.tokens) == tokens
    with pytest.raises(ExpressionError, match="no \\) that closes it") as caught:
        expression.evaluate(House())
    assert caught.value.position == position


def test_a_bracket_never_closed_has_neither_number_nor_unit() -> None:
    for text in ("2 * (1 + 2", "$watt * ($hour"):
        with pytest.raises(ExpressionError, match="no \\) that closes it"):
            result_of(text)
    with pytest.raises(ExpressionError, match="no \\) that closes it"):
        parse("$watt * ($hour", VARIABLES).unit(House())


@pytest.mark.parametrize("names", [list(VARIABLES), tuple(VARIABLES), set(VARIABLES), VARIABLES, VARIABLES.keys()])
def test_names_may_come_in_any_collection(names: list[str]) -> None:
    assert parse("$ab + $a", names).variables == {"ab", "a"}


def test_the_longest_name_counts_also_far_from_the_end() -> None:
    text = f'"$ab{"x" * 1_000}$a"'

    assert parse(text, VARIABLES).variables == {"ab", "a"}


def test_values_are_asked_for_at_each_evaluation() -> None:
    expression = parse("$x + 1", {"x"})

    assert [expression.evaluate(House(values={"x": x})) for x in (1, 5)] == [2, 6]


def test_an_error_of_the_scope_comes_through() -> None:
    class Emptied(House):
        def value(self, name: str) -> Result:
            raise ExpressionError(f"there is no variable ${name} any more")

    with pytest.raises(ExpressionError, match="any more"):
        parse("$n + 1", {"n"}).evaluate(Emptied())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1" + "+1" * (MAX_LENGTH // 2), "too long"),
        ("1" + "+1" * MAX_TOKENS, "too many parts"),
        ("(" * (MAX_DEPTH + 1) + "1" + ")" * (MAX_DEPTH + 1), "nested too deeply"),
        ("min(" * (MAX_DEPTH + 1) + "1" + ")" * (MAX_DEPTH + 1), "nested too deeply"),
        ('"{' * (MAX_DEPTH + 1) + "1" + '}"' * (MAX_DEPTH + 1), "nested too deeply"),
    ],
)
def test_an_expression_has_bounds(text: str, told: str) -> None:
    with pytest.raises(ExpressionError, match=told):
        parse(text, VARIABLES)


@pytest.mark.parametrize(("opening", "closing"), [("(", ")"), ("min(", ")"), ('"{', '}"')])
def test_expressions_within_the_bounds_can_be_evaluated(opening: str, closing: str) -> None:
    value = result_of(opening * MAX_DEPTH + "1" + closing * MAX_DEPTH)

    assert value == ("1" if closing == '}"' else 1)


@pytest.mark.parametrize(("opening", "closing"), [("(", ")"), ("min(", ")")])
def test_brackets_side_by_side_are_not_nested(opening: str, closing: str) -> None:
    beside = f"{opening}1{closing} + " * 100
    deepest = opening * MAX_DEPTH + "1" + closing * MAX_DEPTH

    assert result_of(f"{beside}{deepest}") == 101
    with pytest.raises(ExpressionError, match="nested too deeply"):
        parse(f"{beside}{opening}{deepest}{closing}", ())


def test_parts_filled_in_side_by_side_are_not_nested() -> None:
    deepest = '"{' * (MAX_DEPTH - 1) + "1" + '}"' * (MAX_DEPTH - 1)

    assert result_of('"' + "{1}" * 100 + f'{{{deepest}}}"') == "1" * 101
    with pytest.raises(ExpressionError, match="nested too deeply"):
        parse('"' + "{1}" * 100 + f'{{"{{{deepest}}}"}}"', ())


def test_a_long_chain_is_reckoned() -> None:
    assert result_of("1" + "+1" * 2_000) == 2_001


@pytest.mark.parametrize(
    ("text", "values", "told"),
    [
        ('"$x$x"', {"x": "y" * 200_000}, "too long"),
        ('"$x"', {"x": list(range(100_000))}, "too long"),
        ("min(" + ",".join(['"$x"'] * 10) + ")", {"x": "y" * 30_000}, "too long"),
        ("hexString(1, 2, $x)", {"x": "y" * 300_000}, "too long"),
    ],
)
def test_texts_put_together_have_a_bound(text: str, values: dict[str, Result], told: str) -> None:
    with pytest.raises(ExpressionError, match=told):
        result_of(text, House(values=values))


def test_a_value_nested_beyond_reason_is_an_error_not_a_crash() -> None:
    nested: Value = 1
    for _ in range(5_000):
        nested = [nested]

    with pytest.raises(ExpressionError, match="nested too deeply"):
        result_of('"$x"', House(values={"x": nested}))


def test_units_have_a_bound() -> None:
    house = House(values={"x": 1}, units={"x": "kilowatt"})

    with pytest.raises(ExpressionError, match="unit"):
        parse("*".join(["$x"] * 100), {"x"}).unit(house)
