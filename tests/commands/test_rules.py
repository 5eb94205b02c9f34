"""`hallway rule` asked of a running hub: what it prints for people, and how it ends."""

from __future__ import annotations

import getpass
import io
import os
import re
import shlex
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hallway.cli import main
from hallway.commands.client import PASSWORD
from hallway.commands.rules import marked
from tests.hubs import RunningHub
from tests.peers.ports import free_port

PAGE = (Path(__file__).parent.parent.parent / "docs" / "rules.md").read_text("utf-8")
HOME = """\
home: {time_zone: Asia/Kolkata}
users:
  - {username: ann, password: "her:own", role: admin}
  - {username: guest, password: seen, role: guest}
devices:
  - {id: lamp, class: DummySwitch, name: Lamp}
  - {id: air, class: DummyTemperatureSensor, name: Air}
variables: [{name: x, value: 1}, {name: word, value: hello}]
rules:
  - {id: warm, rule: when temperature of air > 25 and $x < 5 then turn lamp on for 10 minutes, again: restart}
  - {id: night, rule: "when its 23:00 then turn lamp off", active: false}
  - {id: lost, rule: when fan is on then turn lamp off}
  - {id: hourly, rule: when every 1 hour then log "ding"}
"""
DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+05:30")
Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub in which it became warm, $x was set, and it became warm again."""
    found = RunningHub(tmp_path_factory.mktemp("ruled") / "home", HOME)
    found.start()
    ann = {"Authorization": f"Basic {b64encode(b'ann:her:own').decode()}"}
    for path in ("20", "27", "x", "20", "28"):
        if path == "x":
            body = b'{"type": "value", "valueOrExpression": "7"}'
            headers = {**ann, "content-type": "application/json"}
            assert found.ask("PATCH", "/api/variables/x", body=body, headers=headers).status == 200
        else:
            target = f"/api/device/air/changeTemperatureTo?temperature={path}"
            assert found.ask("GET", target, headers=ann).status == 200
    yield found
    found.kill()


@pytest.fixture
def ask(hub: RunningHub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Asks the hub as ann: exit code, what is printed with dates as `DATE`, and what is complained of."""
    monkeypatch.setenv(PASSWORD, "her:own")

    def asked(*arguments: str, user: str = "ann") -> tuple[int, str, str]:
        ended = main(["rule", *arguments, "--url", hub.base_url, *(["--user", user] if user else [])])
        printed = capsys.readouterr()
        return ended, DATE.sub("DATE", printed.out), printed.err

    return asked


def test_the_rules_are_listed_with_what_keeps_them_from_running(ask: Ask) -> None:
    ended, printed, _ = ask("list")
    assert ended == 0
    lines = printed.splitlines()
    assert lines[0] == "on   warm    when temperature of air > 25 and $x < 5 then turn lamp on for 10 minutes"
    assert lines[1] == "off  night   when its 23:00 then turn lamp off"
    assert lines[2] == "bad  lost    when fan is on then turn lamp off"
    assert "fan" in lines[3]
    assert lines[4] == 'on   hourly  when every 1 hour then log "ding"'


def test_a_good_sentence_is_a_rule(ask: Ask) -> None:
    assert ask("check", "when $x > 3 then turn lamp off") == (
        0,
        "it is a rule\n  looks at $x\n  acts on device lamp\n",
        "",
    )


def test_words_that_mean_nothing_are_shown(ask: Ask) -> None:
    ended, printed, error = ask("check", "when its 8:00 on mondya then turn lamp off")
    assert (ended, error) == (0, "")
    assert printed == (
        "it is a rule\n  acts on device lamp\n"
        "  but in “its 8:00 on mondya” the words “on mondya” mean nothing and are left out\n"
    )
    assert printed in PAGE


def test_a_bad_sentence_is_marked_where_it_goes_wrong(ask: Ask) -> None:
    ended, printed, error = ask("check", "when lamp is on then turn lamp orange")
    assert (ended, printed) == (2, "")
    lines = error.splitlines()
    assert lines[0] == "hallway: that is no rule:"
    assert lines[1] == "  when lamp is on then turn lamp orange"
    assert lines[2] == "                                 ^"
    assert "“on”, “off”" in lines[3]
    assert error in PAGE


@pytest.mark.parametrize(
    ("sentence", "position", "expected"),
    [("a b", 0, "^"), ("a b", 2, "  ^"), ("a  b", 1, "   ^"), ("a b", 3, "   ^"), ("a  ", 1, " ^"), ("", 0, "^")],
)
def test_the_mark_stands_under_the_first_sign_that_does_not_fit(sentence: str, position: int, expected: str) -> None:
    assert list(marked(sentence, position, "why")) == ["that is no rule:", sentence, expected, "why"]


def test_trying_tells_when_it_would_have_run_and_what_it_would_have_done(ask: Ask) -> None:
    ended, printed, _ = ask("try", "when temperature of air > 25 then turn lamp off", "--again", "together")
    assert ended == 0
    lines = printed.splitlines()
    assert re.fullmatch(r"tried on what happened since DATE \(0:\d\d:\d\d\): \d changes of what it names", lines[0])
    assert lines[1] == "it would have run 2 times:"
    assert lines[2] == "  DATE  ran: temperature of air > 25 (air.temperature is 27)"
    assert "would let Lamp be turned off" in lines[4]


def test_a_rule_that_there_is_is_tried_by_its_id(ask: Ask) -> None:
    ended, printed, _ = ask("try", "--id", "warm", "--days", "1")
    assert ended == 0
    assert "it would have run 1 time:" in printed
    assert "and would not have run 1 time though something started it:" in printed
    assert "false $x < 5 [x = 7" in printed


def test_why_goes_back_to_who_began_it(ask: Ask) -> None:
    ended, printed, _ = ask("why", "lamp.state")
    assert ended == 0
    assert printed.splitlines() == [
        "lamp.state is true (DATE)",
        "  because of the rule warm: when temperature of air > 25 and $x < 5 then turn lamp on for 10 minutes (DATE)",
        "    because of air.temperature is 27 (DATE)",
        "      because of ann, through pimatic",
    ]


def test_why_of_what_never_changed_says_so(ask: Ask) -> None:
    ended, printed, _ = ask("why", "$word")
    assert ended == 0
    assert printed.startswith('$word is "hello"\nno change of it is recorded since')


def test_traces_tell_runs_and_near_misses(ask: Ask) -> None:
    ended, printed, _ = ask("trace", "warm")
    assert ended == 0
    assert re.findall(r"^DATE  #\d+  (\w.*?):", printed, re.MULTILINE) == ["condition false", "ran"]
    assert "done: turn lamp on" in printed
    assert ask("trace", "warm", "--result", "ran", "--limit", "1")[1].count("DATE") == 1
    assert "nothing is known of night" in ask("trace", "night")[1]


@pytest.mark.parametrize("line", re.findall(r"^\$ hallway rule (.*)$", PAGE, re.MULTILINE))
def test_the_guide_shows_what_can_be_asked(ask: Ask, line: str) -> None:
    ended, printed, error = ask(*shlex.split(line))
    assert (ended, error) == (0, "")
    assert printed


def test_what_touches_something_and_what_comes_up(ask: Ask) -> None:
    assert ask("touches", "lamp")[:2] == (0, "rules that act on it: warm, night\nits entities: switch.lamp\n")
    assert ask("touches", "$word")[:2] == (0, "nothing touches $word\n")
    ended, printed, _ = ask("upcoming", "--days", "0.5")
    assert ended == 0
    assert printed.count("DATE  hourly: every 1 hour\n") in (11, 12, 13)
    assert printed.count("DATE  warm: is put back: ") == 1


@pytest.mark.parametrize(
    ("question", "word"),
    [
        (("why", "nope"), "there is no nope"),
        (("touches", "nope"), "there is no nope"),
        (("trace", "no/pe"), "there is no rule no/pe"),
        (("trace", "warm", "--limit", "1000"), "150"),
        (("trace", "warm", "--result", "perhaps"), "condition false"),
        (("try", "when nothing then that"), "character"),
        (("try", "--id", "warm", "--days", "99"), "28"),
        (("upcoming", "--days", "99"), "28"),
    ],
)
def test_a_wrong_question_is_explained_and_exits_with_2(ask: Ask, question: tuple[str, ...], word: str) -> None:
    ended, printed, error = ask(*question)
    assert (ended, printed) == (2, "")
    assert error.startswith("hallway: ")
    assert word in error


# ---------------------------------------------------------------------- who asks


def test_the_hub_wants_to_know_who_asks(ask: Ask) -> None:
    ended, _, error = ask("list", user="")
    assert (ended, "give --user NAME" in error) == (1, True)
    ended, _, error = ask("list", user="ann:wrong")
    assert (ended, "its name or password is wrong" in error) == (1, True)


def test_the_password_may_stand_behind_the_name(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSWORD)
    assert ask("list", user="ann:her:own")[0] == 0


def test_who_may_not_is_told_what_is_missing(ask: Ask) -> None:
    ended, _, error = ask("why", "lamp.state", user="guest:seen")
    assert ended == 1
    assert "rules:read" in error


class Terminal(io.StringIO):
    """Somebody sits there."""

    def isatty(self) -> bool:
        return True


def test_a_password_is_asked_for_where_somebody_sits(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSWORD)
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda prompt: {"password of ann: ": "her:own"}[prompt])
    assert ask("list")[0] == 0


def test_without_a_terminal_a_password_must_be_given(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSWORD)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    ended, _, error = ask("list")
    assert (ended, PASSWORD in error) == (2, True)


# ---------------------------------------------------------------------- the hub


def rule(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, run to its end."""
    command = [sys.executable, "-m", "hallway", "rule", *arguments]
    environment = {name: value for name, value in os.environ.items() if name != PASSWORD}
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=False, env=environment)


def test_a_hub_that_is_not_there_is_said_to_be_so() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    ended = rule("list", "--url", url)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"hallway: no hub answers at {url} (")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("url", ["here", "ftp://127.0.0.1", "http://", "http://127.0.0.1:99999", "http://[::1"])
def test_what_is_no_address_is_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rule", "list", "--url", url]) == 2
    assert "is no address of a hub" in capsys.readouterr().err


@pytest.mark.parametrize("question", [[], ["nothing"], ["check"], ["try"], ["why"], ["trace", "r", "--limit", "x"]])
def test_a_wrong_command_line_is_explained(question: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["rule", *question])
    assert ended.value.code == 2
    assert "usage: hallway rule" in capsys.readouterr().err
