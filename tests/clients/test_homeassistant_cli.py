"""`hass-cli`, the command line client, in its last release with entities (0.4.4) and its last of all (0.9.6).

Both take `--password`. What they ask of an API of their own time (discovery, templates, the error log) was never there.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.peers.environments import PythonClient, plain_environment, python_of
from tests.peers.rest import Listening, Rest

# the first test of a fresh machine fetches the clients
pytestmark = pytest.mark.timeout(600)

EARLY = PythonClient(
    "homeassistant-cli-0.4.4",
    # the rest of early 2019: newer ones have no wheel for its Python, or other names
    ("homeassistant-cli==0.4.4", "zeroconf<0.22", "PyYAML<6", "jinja2<3", "regex<2022"),
    ("3.7", "3.6"),
    "import homeassistant_cli.cli, homeassistant_cli.config",
)
LATE = PythonClient(
    "homeassistant-cli-0.9.6",
    ("homeassistant-cli==0.9.6",),
    ("3.10", "3.9", "3.11"),
    "import homeassistant_cli.cli, homeassistant_cli.remote",
)


@dataclass(frozen=True, slots=True)
class Said:
    """What the command printed, and how it ended."""

    status: int
    out: str
    errors: str

    @property
    def json(self) -> Any:
        assert self.status == 0, self.errors
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Cli:
    """One release of hass-cli, pointed at the hub."""

    command: Path
    states: str
    """Its name of the group of commands for states."""
    home: Rest

    def run(self, *arguments: str, password: str | None = None, editor: str = "") -> Said:
        where = ["--server", self.home.url, "--password", self.home.password if password is None else password]
        done = subprocess.run(
            [str(self.command), *where, *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**plain_environment(), "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "EDITOR": editor, "VISUAL": editor},
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def json(self, *arguments: str) -> Any:
        return self.run("-o", "json", *arguments).json

    def good(self, *arguments: str, editor: str = "") -> str:
        said = self.run(*arguments, editor=editor)
        assert (said.status, said.errors) == (0, "")
        return said.out


@pytest.fixture(scope="module", params=[(EARLY, "entity"), (LATE, "state")], ids=["0.4.4", "0.9.6"])
def cli(request: pytest.FixtureRequest, home: Rest) -> Cli:
    release, states = request.param
    return Cli(python_of(release).with_name("hass-cli"), states, home)


def test_states_are_listed_as_a_table_and_filtered(cli: Cli, home: Rest) -> None:
    home.set_state("cli.listed", "Größe ☕", {"friendly_name": "Listed"})
    table = cli.good(cli.states, "list")
    assert table.splitlines()[0].split() == ["ENTITY", "DESCRIPTION", "STATE", "CHANGED"]
    assert {line.split()[0] for line in table.splitlines()[1:]} == set(home.states())
    shown = home.state("cli.listed")
    assert shown is not None
    row = next(line for line in table.splitlines() if line.startswith("cli.listed"))
    assert row.split() == ["cli.listed", "Listed", "Größe", "☕", *shown["last_changed"].split()]
    assert [state["entity_id"] for state in cli.json(cli.states, "list", r"cli\.li")] == ["cli.listed"]


def test_a_state_is_got_and_edited(cli: Cli, home: Rest) -> None:
    home.set_state("cli.edited", "one", {"kept": True})
    assert cli.json(cli.states, "get", "cli.edited") == [home.state("cli.edited")]
    cli.good(cli.states, "edit", "cli.edited", "two", "--merge", "--attributes", "room=Küche")
    assert (home.value("cli.edited"), home.attribute("cli.edited", "kept")) == ("two", True)
    assert home.attribute("cli.edited", "room") == "Küche"
    cli.good(cli.states, "edit", "cli.edited", "--json", '{"state": 3, "attributes": {"n": [1, null]}}')
    state = home.state("cli.edited")
    assert state is not None
    assert (state["state"], state["attributes"]) == ("3", {"n": [1, None]})
    assert "not found" in cli.run(cli.states, "get", "cli.nobody").errors


def test_a_state_cannot_be_deleted_and_the_user_is_told(cli: Cli, home: Rest) -> None:
    home.set_state("cli.stays", "here")
    said = cli.run(cli.states, "delete", "cli.stays")
    assert said.status != 0
    assert "405" in said.errors
    assert home.value("cli.stays") == "here"


def test_entities_are_turned_on_and_off_and_toggled_and_those_that_changed_are_shown(cli: Cli, home: Rest) -> None:
    home.call("homeassistant", "turn_off", {"entity_id": ["switch.ac", "light.bed_light"]})
    for command, value in [("turn_on", "on"), ("turn_off", "off"), ("toggle", "on")]:
        changed = cli.json(cli.states, command, "switch.ac", "light.bed_light")
        assert {(state["entity_id"], state["state"]) for state in changed} >= {
            ("switch.ac", value),
            ("light.bed_light", value),
        }
        assert (home.value("switch.ac"), home.value("light.bed_light")) == (value, value)


def test_an_event_is_fired_with_what_the_editor_wrote(cli: Cli, home: Rest, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf \'{"who": "Zoë"}\' > "$1"\n', "utf-8")
    editor.chmod(0o755)
    with Listening(home) as stream:
        said = cli.good("-o", "json", "event", "fire", "cli_edited", editor=str(editor))
        assert stream.hears("cli_edited") == {"who": "Zoë"}
    assert "Event cli_edited fired." in said


def test_an_event_is_fired_with_json(cli: Cli, home: Rest) -> None:
    with Listening(home) as stream:
        said = cli.run("event", "fire", "cli_json", "--json", '{"n": 1}')
        if cli.states == "entity":
            # 0.4.4 sends the JSON as a text inside JSON, which no server of its time took either
            assert "422" in said.errors
            return
        assert "Event cli_json fired." in said.out
        assert stream.hears("cli_json") == {"n": 1}


def test_a_service_is_called_with_arguments(cli: Cli, home: Rest) -> None:
    home.call("light", "turn_off")
    arguments = "entity_id=light.bed_light,brightness=99"
    answer = cli.json("service", "call", "light.turn_on", "--arguments", arguments)
    changed = {state["entity_id"]: state for state in answer}
    assert (changed["light.bed_light"]["state"], changed["light.bed_light"]["attributes"]["brightness"]) == ("on", 99)
    assert home.attribute("light.bed_light", "brightness") == 99
    assert "404" in cli.run("service", "call", "cli.nothing").errors


def test_services_are_listed_raw(cli: Cli, home: Rest) -> None:
    assert cli.json("raw", "get", "/api/services") == home.ask("GET", "/api/services").json()


def test_the_list_of_services_is_of_a_later_api_and_fails_as_it_does_with_every_server_of_2015(cli: Cli) -> None:
    said = cli.run("service", "list")
    assert said.status != 0
    assert "list indices must be integers" in said.errors


def test_raw_requests_are_answered(cli: Cli, home: Rest) -> None:
    assert cli.json("raw", "get", "/api/") == {"message": "API running."}
    set_state = cli.json("raw", "post", "/api/states/cli.raw", "--json", '{"state": "yes"}')
    assert set_state == home.state("cli.raw")
    assert "404" in cli.run("raw", "get", "/api/states/cli.nobody").errors


def test_the_configuration_is_shown(cli: Cli) -> None:
    details = cli.good("config", "full")
    assert "Real" in details
    assert "Europe/Amsterdam" in details
    assert "light" in cli.good("config", "components").splitlines()
    assert cli.good("config", "release").splitlines()[-1].startswith("0.7")


def test_a_wrong_password_is_told(cli: Cli) -> None:
    said = cli.run(cli.states, "list", password="wrong")
    assert said.status != 0
    assert "API password missing or incorrect." in said.errors
