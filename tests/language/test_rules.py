"""Rules as sentences: what is one, what is wrong with one, forms, and actions that are carried out at once."""

import pytest

from hallway.errors import HallwayError, InvalidInput, Unreachable
from hallway.home.calls import Call
from hallway.home.changes import Context
from hallway.home.notifiers import Notification
from hallway.home.services import MAX_OPEN_CALLS
from hallway.language.conditions import AttributeIs, Joined, Predicate, Test
from hallway.language.kinds import built_in
from hallway.language.matching import Reader, RuleError
from hallway.language.registry import PredicateKind, Preset
from hallway.language.rules import MAX_LENGTH, RuleParser
from hallway.language.words import words
from tests.home.homes import TEST, a_device
from tests.language.rule_house import RuleHouse, parts


def test_a_rule_has_a_condition_and_actions(house: RuleHouse) -> None:
    rule = house.rule('when lamp is on and if $n > 5 then log "a" and turn fan on for 5 minutes')
    assert (rule.condition, rule.actions) == ("lamp is on and if $n > 5", 'log "a" and turn fan on for 5 minutes')
    assert isinstance(rule.tree, Joined)
    assert [each.token for each in rule.predicates] == ["lamp is on", "$n > 5"]
    assert [each.token for each in rule.deeds] == ['log "a"', "turn fan on"]
    assert rule.otherwise == ()


@pytest.mark.parametrize(
    "text",
    [
        'when\tlamp is on then log "a"',
        'when lamp is on\nthen log "a"',
        'when lamp is on then log "a\nb"',
        'when lamp is on  then  log "a"',
        'when lamp is on then log "a"  ',
        'when  lamp is on then log "a"',
        'when lamp is on then log "then b"',
    ],
)
def test_white_space_around_the_parts_does_not_count(house: RuleHouse, text: str) -> None:
    assert house.rule(text).condition == "lamp is on"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "begins with"),
        ("foo bar", "begins with"),
        ('if lamp is on then log "a"', "begins with"),
        ('lamp is on then log "a"', "begins with"),
        ('when then log "a"', "then"),
        ("when lamp is on", "then"),
        ("when lamp is on then", "then"),
        ("when lamp is on then ", "begins no action"),
        ('when lamp is on then log "a then b"', "only one"),
        ('when lamp is on then log "a" then log "b"', "only one"),
    ],
)
def test_a_rule_has_one_when_and_one_then(house: RuleHouse, text: str, reason: str) -> None:
    assert reason in house.wrong(text).reason


@pytest.mark.parametrize(
    "text",
    [
        'When lamp is on then log "a"',
        '  when lamp is on then log "a"',
        'when lamp  is   on then log "a"',
        'when Lamp is ON then log "a"',
        'when lamp is on AND fan is on then log "a"',
        'when trigger:lamp is on then LOG "a"',
        'when temperature of outside>20 and $n>5 and $n >5 then log "a"',
        "when lamp is on then Turn lamp OFF and dim dimmer to 30 %",
        "when lamp is on then set temp of heating to 20 °C",
    ],
)
def test_capitals_and_white_space_are_forgiven_where_nothing_becomes_ambiguous(house: RuleHouse, text: str) -> None:
    assert house.rule(text).deeds


def test_what_is_forgiven_means_the_same(house: RuleHouse) -> None:
    (predicate,) = house.rule('when LAMP  is  ON then log "a"').predicates
    assert predicate.token == "lamp is on"
    assert predicate.test == AttributeIs("lamp", "state", "==", value=True)


@pytest.mark.parametrize(
    ("text", "position", "words_in_it"),
    [
        ('when foo is bar then log "x"', 5, ["“foo is bar”", "predicate"]),
        ('when lamp is bar then log "x"', 12, ["“ bar”", "“on”", "“off”"]),
        ('when temperature of lamp > 5 then log "x"', 20, ["“lamp > 5”", "a device with temperature"]),
        ('when temperature of outside > warm then log "x"', 30, ["“warm”", "a number"]),
        ('when mode of heating is foo then log "x"', 24, ["“foo”", "“auto”", 'a text in "quotes"']),
        ('when $zero > 5 then log "x"', 5, ["$zero", "no variable"]),
        ('when its 25:00 then log "x"', 9, ["25:00", "no such time"]),
        ("when lamp is on then turn bulb on", 26, ["“bulb on”", "a switch"]),
        ("when lamp is on then explode", 21, ["“explode”", "action"]),
        ('when lamp is on then log "a', 25, ['no " that ends it']),
        ("when lamp is on then dim dimmer to 130%", 35, ["130", "at most 100%"]),
        ("when lamp is on then set $n to 5 +", 32, ["“ +”"]),
        ('when lamp is on and then log "x"', 19, ["“and”", "no predicate"]),
    ],
)
def test_an_error_says_where_what_and_what_could_stand_there(
    house: RuleHouse, text: str, position: int, words_in_it: list[str]
) -> None:
    error = house.wrong(text)
    assert error.position == position
    assert [word for word in words_in_it if word not in error.reason] == []


def test_an_error_is_invalid_input(house: RuleHouse) -> None:
    error = house.wrong("foo")
    assert isinstance(error, InvalidInput)
    assert (error.status, error.code) == (400, "rule")
    assert "at most" in house.wrong(f'when {"x" * MAX_LENGTH} then log "a"').reason


def test_two_devices_of_one_name_are_told_apart_by_their_ids() -> None:
    house = RuleHouse(a_device("DummySwitch", "one", name="Twin"), a_device("DummySwitch", "two", name="Twin"))
    error = house.wrong('when Twin is on then log "x"')
    assert "one, two" in house.wrong("when lamp is on then turn Twin on").reason
    assert error.status == 400
    assert house.test("two is on") == AttributeIs("two", "state", "==", value=True)


def test_only_devices_that_can_be_meant_count_as_rivals() -> None:
    house = RuleHouse(a_device("DummySwitch", "one", name="Window"))
    assert house.test("Window is on") == AttributeIs("one", "state", "==", value=True)
    assert house.test("Window is opened") == AttributeIs("window", "contact", "==", value=False)


def test_the_longest_name_counts_and_a_name_may_begin_with_the() -> None:
    house = RuleHouse(
        a_device("DummySwitch", "one", name="Hall"),
        a_device("DummySwitch", "two", name="Hall Lamp Two"),
        a_device("DummySwitch", "three", name="The Cellar"),
    )
    assert house.test("Hall Lamp Two is on") == AttributeIs("two", "state", "==", value=True)
    assert house.test("Hall is on") == AttributeIs("one", "state", "==", value=True)
    assert house.test("the cellar is on") == AttributeIs("three", "state", "==", value=True)


def test_a_rule_follows_the_names_of_the_home(house: RuleHouse) -> None:
    house.wrong('when Bulb is on then log "x"')
    house.home.add_device(a_device("DummySwitch", "b1", name="Bulb"), "store")
    assert house.test("Bulb is on") == AttributeIs("b1", "state", "==", value=True)
    house.home.change_device(a_device("DummySwitch", "b1", name="Lantern"), TEST)
    house.wrong('when Bulb is on then log "x"')
    assert house.test("Lantern is on") == AttributeIs("b1", "state", "==", value=True)
    house.home.remove_device("b1", TEST)
    house.wrong('when Lantern is on then log "x"')


# ---------------------------------------------------------------------- forms


def test_presets_name_their_kinds(house: RuleHouse) -> None:
    presets = house.parser.predicate_presets(house.home)
    assert [(each["input"], each["predicateProviderClass"]) for each in presets] == [
        ("its 8:00", "CronPredicateProvider"),
        ("its after 8:00", "CronPredicateProvider"),
        ("{device} is present", "PresencePredicateProvider"),
        ("{device} is turned on", "SwitchPredicateProvider"),
        ("{attribute} of {device} is equal to {value}", "DeviceAttributePredicateProvider"),
        ("{expr} = {expr}", "VariablePredicateProvider"),
        ("{variable} changes", "VariableUpdatedPredicateProvider"),
        ("{variable} increased", "VariableUpdatedPredicateProvider"),
        ("{device} is opened", "ContactPredicateProvider"),
        ("{button} is pressed", "ButtonPredicateProvider"),
        ("{attribute} of {device} was not updated for {duration} minutes", "DeviceAttributeWatchdogProvider"),
        ("pimatic is starting", "StartupPredicateProvider"),
    ]
    for preset in presets:
        assert preset["name"]
        assert house.info(str(preset["input"]), str(preset["predicateProviderClass"]))["errors"] == []


def test_a_form_shows_what_can_be_chosen(house: RuleHouse) -> None:
    info = house.info("lamp is on")
    device, verb, state = info["elements"]
    assert device == {
        "match": "lamp",
        "options": ["lamp", "fan", "dimmer"],
        "type": "select",
        "wildcard": "{device}",
        "wildcardMatch": False,
    }
    assert verb == {"match": " is", "options": [" is", " is turned"], "type": "static", "wildcardMatch": False}
    assert state == {
        "match": " on",
        "options": [" on", " off"],
        "type": "select",
        "wildcardMatch": False,
        "param": "state",
    }
    assert (info["token"], info["nextInput"], info["errors"]) == ("lamp is on", "", [])
    assert parts(info["forElements"]) == [("static", " for "), ("text", "5"), ("select", " minutes")]


@pytest.mark.parametrize(
    ("preset", "token", "elements"),
    [
        ("{device} is opened", "Window is opened", ["Window", " is", " opened"]),
        ("{variable} changes", "$lamp.state changes", ["$lamp.state", " changes"]),
        ("{button} is pressed", "up is pressed", ["up", " is", " pressed"]),
        (
            "{attribute} of {device} is equal to {value}",
            "state of Hall Lamp is equal to on",
            ["state", " of ", "Hall Lamp", " is equal to ", "on"],
        ),
        (
            "{attribute} of {device} was not updated for {duration} minutes",
            "state of Hall Lamp was not updated for 0 minutes",
            ["state", " of ", "Hall Lamp", " was not updated for ", "0", " minutes"],
        ),
        ("{expr} = {expr}", "0 = 0", ["0", " = ", "0"]),
    ],
)
def test_wildcards_stand_for_the_first_that_fits(
    house: RuleHouse, preset: str, token: str, elements: list[str]
) -> None:
    info = house.info(preset)
    assert info["token"] == token
    assert [each["match"] for each in info["elements"]] == elements
    for each in info["elements"]:
        assert each["wildcardMatch"] == (each["options"][0] == each.get("wildcard"))


@pytest.mark.parametrize(
    ("predicate", "elements"),
    [
        ("the lamp is on", [("static", "the "), ("select", "lamp"), ("static", " is"), ("select", " on")]),
        (
            "the up button is pressed",
            [("static", "the "), ("select", "up"), ("static", " button"), ("static", " is"), ("static", " pressed")],
        ),
        (
            'mode of heating is "eco" for 5 minutes',
            [("select", "mode"), ("static", " of "), ("select", "heating"), ("select", " is "),
             ("static", '"'), ("text", "eco"), ("static", '"')],
        ),
        ("its after $word", [("static", "its "), ("select", "after "), ("select", "$word")]),
    ],
)  # fmt: skip
def test_a_form_shows_every_part_of_what_is_tested(
    house: RuleHouse, predicate: str, elements: list[tuple[str, str]]
) -> None:
    assert parts(house.info(predicate)["elements"]) == elements


def test_a_form_shows_how_long_something_is_to_last(house: RuleHouse) -> None:
    info = house.info("lamp is on for $n * 2 h")
    assert parts(info["forElements"]) == [("static", " for "), ("text", "$n * 2"), ("select", " h")]


def test_values_in_a_form_are_open(house: RuleHouse) -> None:
    assert house.info("temperature of outside > 5")["elements"][-1] == {
        "match": "5", "options": None, "type": "text", "wildcardMatch": False,
    }  # fmt: skip
    assert house.info("$n * 2 > 5")["elements"][0] == {"match": "$n * 2", "type": "text", "wildcard": "{expr}"}
    assert house.info("its before 8:00")["elements"][1]["param"] == "modifier"
    assert house.info("temperature of outside > 5°C")["elements"][-1] == {
        "match": "°C", "options": [" °C", "°C"], "type": "select", "wildcardMatch": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("predicate", "token"),
    [("trigger: lamp is on for 5 minutes", "lamp is on"), ("up is pressed for 5 minutes", "up is pressed")],
)
def test_a_form_shows_what_cannot_last_with_its_error(house: RuleHouse, predicate: str, token: str) -> None:
    info = house.info(predicate)
    assert (info["predicate"]["token"], info["predicate"]["for"]["token"]) == (token, "5 minutes")
    assert len(info["errors"]) == 1
    assert "forElements" in info


def test_a_rule_holds_no_wildcards(house: RuleHouse) -> None:
    house.wrong('when {device} is on then log "x"')


def test_an_event_and_a_trigger_have_no_time_to_last(house: RuleHouse) -> None:
    assert "forElements" not in house.info("its 8:00")
    assert "forElements" not in house.info("trigger: lamp is on")
    assert house.info("trigger: lamp is on")["token"] == "trigger: lamp is on"
    assert house.info("its 8:00")["elements"][1] == {
        "match": "8:00",
        "options": None,
        "type": "time",
        "wildcardMatch": False,
        "param": "time",
    }


@pytest.mark.parametrize(
    ("text", "class_name"), [("foo", None), ("", None), ("lamp is on", "PresencePredicateProvider")]
)
def test_what_is_no_predicate_has_no_elements(house: RuleHouse, text: str, class_name: str | None) -> None:
    info = house.info(text, class_name)
    assert "elements" not in info
    assert info["predicate"]["token"] is None
    assert (info["token"], info["nextInput"], len(info["errors"])) == ("", text, 1)


# ---------------------------------------------------------------------- at once


def test_the_first_action_is_carried_out(house: RuleHouse) -> None:
    assert house.execute('log "hi $n" and turn lamp on') == "hi 10"
    assert house.value("state", "lamp") is False
    house.execute("turn lamp on after 5 hours")
    assert house.value("state", "lamp") is True


def test_what_was_done_becomes_a_message_unless_people_were_told_anyway(house: RuleHouse) -> None:
    for action in ('log "hi"', 'notify "ho"'):
        house.parser.execute(action, house.home, TEST, simulate=False, logging=True)
    assert [(message.text, message.tags) for message in house.home.messages.all()] == [
        ("hi", ("action",)),
        ("ho", ("notification",)),
    ]


def test_for_makes_a_promise_that_is_not_kept(house: RuleHouse) -> None:
    said = house.execute("turn lamp on for 1 second")
    assert isinstance(said, list)
    assert said[1:] == [{"isFulfilled": False, "isRejected": False}]
    house.clock.advance(10)
    assert house.value("state", "lamp") is True


@pytest.mark.parametrize("action", ["", "foo", ' log "a"', "dim dimmer to 130%", "set $n to 5 for 5 seconds"])
def test_what_is_no_action_changes_nothing(house: RuleHouse, action: str) -> None:
    with house.nothing_happens(), pytest.raises(RuleError):
        house.execute(action)


def test_an_action_that_fails_is_an_error_of_the_home(house: RuleHouse) -> None:
    with house.nothing_happens(), pytest.raises(HallwayError):
        house.execute("set $n to $word + 1")


def test_an_action_that_fails_elsewhere_has_failed(house: RuleHouse) -> None:
    house.home.notifiers.register("pigeon", a_pigeon_that_is_lost, TEST)
    with pytest.raises(Unreachable, match="lost"):
        house.execute('notify "hi"')


def a_pigeon_that_is_lost(_notification: Notification, _context: Context) -> Call:
    raise Unreachable("the pigeon is lost")


def test_actions_that_nobody_answers_do_not_use_up_the_calls_that_may_be_open(house: RuleHouse) -> None:
    house.home.services.elsewhere = lambda domain, _service: domain == "lights"
    for _ in range(MAX_OPEN_CALLS + 1):
        house.execute("call lights.dim")
    assert house.home.call_service("switch", "turn_on", {"entity_id": "switch.lamp"}, TEST).done


# ---------------------------------------------------------------------- more kinds


class MoonIs(Test, frozen=True):
    """A test that a plugin brings."""

    full: bool


class MoonPredicate(PredicateKind):
    provider = "MoonPredicateProvider"
    begins = ("moon",)
    presets = (Preset("the moon", "moon is full"),)
    _moon = words("moon is ")
    _phases = words("full", "new")

    def read(self, reader: Reader) -> Test | None:
        phase = reader.take(self._phases) if reader.take(self._moon) else None
        return MoonIs(phase == "full") if phase else None


def test_a_plugin_adds_its_own_kind(house: RuleHouse) -> None:
    usual = built_in()
    parser = RuleParser(usual.with_more(predicates=[MoonPredicate()]))
    rule = parser('when moon is full and lamp is on then log "x"', house.home)
    assert rule.predicates[0].test == MoonIs(full=True)
    assert parser.condition_hints("moon is ", house.home)["autocomplete"] == ["full", "new"]
    assert parser.predicate_presets(house.home)[-1]["input"] == "moon is full"
    with pytest.raises(RuleError):
        RuleParser(usual)('when moon is full then log "x"', house.home)


def test_the_tree_holds_the_predicates_themselves(house: RuleHouse) -> None:
    rule = house.rule('when lamp is on then log "x"')
    assert isinstance(rule.tree, Predicate)
    assert rule.tree is rule.predicates[0]
