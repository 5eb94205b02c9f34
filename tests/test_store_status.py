"""`hallway store status`: how a home and its database stand, while a hub runs and while none does."""

from __future__ import annotations

from pathlib import Path

import pytest

from hallway.cli import main
from tests.conftest import StartHub
from tests.postgres_server import PostgresServer
from tests.test_elsewhere import configuration, post_state, status, stop_with_all_sent, wait_for


def test_it_tells_how_far_behind_the_database_is(
    start_hub: StartHub, database: str, postgres_server: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    hub = start_hub(configuration(database))

    def told(home: Path = hub.home, *more: str) -> str:
        capsys.readouterr()
        assert main(["store", "status", "--home", str(home), *more]) == 0
        out = capsys.readouterr().out
        assert "ss:word" not in out
        return out

    post_state(hub, "sensor.garden", "12.5")
    wait_for(lambda: bool(status(hub)["inStep"]), "the replica")
    assert "a hub writes to it now" in told()
    stop_with_all_sent(hub)
    text = told()
    assert "no hub writes to it now" in text
    assert "here: in step" in text
    assert "0 wait in history.db" in text
    name = database.rpartition("/")[2]
    count = postgres_server.sql("SELECT count(*) FROM hallway.messages", name)
    assert f"messages: {count} there, {count} in history.db" in text
    postgres_server.sql("UPDATE hallway.home SET last_seq = last_seq - 3", name)
    assert "3 changes behind" in told()
    postgres_server.sql("UPDATE hallway.home SET last_seq = last_seq + 5", name)
    assert "what is there is later" in told()
    postgres_server.sql("UPDATE hallway.home SET incarnation = 'x'", name)
    assert "another directory has taken it over" in told()
    postgres_server.sql("UPDATE hallway.home SET hub_id = 'x'", name)
    assert "the home there is another one" in told()
    assert "there is no home.db here" in told(hub.home / "none", "--url", database)
    postgres_server.sql("UPDATE hallway.version SET number = 1", name)
    assert "the next start brings it up" in told()
    postgres_server.sql("DROP SCHEMA hallway CASCADE", name)
    assert "nothing of hallway is there" in told()
    assert main(["store", "status", "--home", str(hub.home), "--url", database.replace("ss:word", "nope")]) == 1
    assert "password authentication failed" in capsys.readouterr().err
