"""`hallway store move` on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from hallway.cli import main
from tests.conftest import StartHub
from tests.hubs import DEMO_DEVICES
from tests.postgres_server import PostgresServer


def test_a_home_moves_into_the_database_of_its_configuration(
    start_hub: StartHub, database: str, postgres_server: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    hub = start_hub(DEMO_DEVICES)
    hub.ask("POST", "/api/states/sensor.garden", {"state": "5"})
    move = ["store", "move", "--home", str(hub.home), "--to"]
    assert main([*move, database]) == 1
    assert "is in use by another hub" in capsys.readouterr().err
    assert hub.stop() == 0
    assert main([*move, "database"]) == 2
    assert "says nothing of a database" in capsys.readouterr().err
    assert main([*move, "mysql://ann:secret@x/y"]) == 2
    assert "secret" not in capsys.readouterr().err
    assert main([*move, database, "--dry-run"]) == 0
    assert "nothing was changed" in capsys.readouterr().out
    hub.configure(f'store: {{url: "{database}"}}\n{DEMO_DEVICES}')
    assert main([*move, "database"]) == 0
    assert "store: {url: !secret database_url}" in capsys.readouterr().out
    name = database.rpartition("/")[2]
    assert postgres_server.sql("SELECT state FROM hallway.state WHERE entity_id = 'sensor.garden'", name) == "5"
    hub.start()
    assert hub.ask("GET", "/api/states/sensor.garden").json()["state"] == "5"
    assert hub.stop() == 0
    assert main([*move, "files"]) == 0
    assert "home.db has all of the home" in capsys.readouterr().out


def test_without_a_home_there_is_nothing_to_move(
    tmp_path: Path, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["store", "move", "--home", str(tmp_path / "none"), "--to", database]) == 2
    assert "there is no home.db" in capsys.readouterr().err
