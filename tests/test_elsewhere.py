"""A hub with `store: url`: its home is in PostgreSQL too, it runs on without that, and another machine takes over."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from hallway.store.postgres.identity import KEY, KIND
from hallway.store.restoring import OF_THE_DIRECTORY
from tests.conftest import StartHub
from tests.hubs import DEMO_DEVICES, RunningHub
from tests.peers.waiting import wait_until
from tests.postgres_server import PostgresServer

NIGHT = """
rules:
  - {id: night, name: Night, rule: 'when bed_light is turned on then log "it is light"'}
"""
HERE = (
    "SELECT count(*) FROM message",
    "SELECT coalesce(sum(count), 0) FROM change_block",
    "SELECT count(*) FROM trace",
)
PEOPLE = "users: [{username: ann, password: secret, role: admin}]\n"


def configuration(url: str) -> str:
    return f'store: {{url: "{url}", values_every: 100 ms}}\nhistory: {{write_every: 1 s}}\n{PEOPLE}{DEMO_DEVICES}'


NOT_SENT = "the database has not got the last changes: it gets them at the next start, unless it refuses this one"


def wait_for(condition: Callable[[], bool], what: str) -> None:
    wait_until(condition, 120, what)


def stop_with_all_sent(hub: RunningHub) -> None:
    """A stop gives the database a few seconds: where that was too short, the next start gives it the rest."""
    for _ in range(5):
        before = hub.log.count(NOT_SENT)
        assert hub.stop() == 0
        if hub.log.count(NOT_SENT) == before:
            return
        hub.start()
        wait_for(lambda: bool(status(hub)["inStep"]), "the replica")
    raise AssertionError("no stop was long enough")


def post_state(hub: RunningHub, entity_id: str, state: str) -> None:
    assert hub.ask("POST", f"/api/states/{entity_id}", {"state": state}).status in {200, 201}


def state(hub: RunningHub, entity_id: str) -> object:
    return hub.ask("GET", f"/api/states/{entity_id}").json()["state"]


def status(hub: RunningHub) -> dict[str, object]:
    credential = b64encode(b"ann:secret").decode()
    answer = hub.ask("GET", "/api/history/status", headers={"Authorization": f"Basic {credential}"})
    assert answer.status == 200, answer.body
    told: dict[str, object] = answer.json()["status"]["database"]
    return told


def test_a_home_moves_to_another_machine_by_its_url(
    start_hub: StartHub, postgres_server: PostgresServer, database: str
) -> None:
    name = database.rpartition("/")[2]
    old = start_hub(configuration(database))
    post_state(old, "sensor.garden", "12.5")
    post_state(old, "sensor.garden", "13")

    def there() -> bool:
        return postgres_server.sql("SELECT state FROM hallway.state WHERE entity_id = 'sensor.garden'", name) == "13"

    wait_for(lambda: postgres_server.sql("SELECT to_regclass('hallway.state')", name) != "", "the tables")
    wait_for(there, "the state")
    wait_for(lambda: bool(status(old)["inStep"]), "the replica")
    assert status(old)["connected"] is True
    assert status(old)["behind"] == 0
    assert str(status(old)["address"]).startswith("postgresql://ann@127.0.0.1:")
    post_state(old, "sensor.garden", "14")
    stop_with_all_sent(old)
    assert postgres_server.sql("SELECT state FROM hallway.state WHERE entity_id = 'sensor.garden'", name) == "14"
    samples = "SELECT string_agg(text, ' ' ORDER BY at) FROM hallway.samples WHERE owner = 'sensor.garden'"
    assert postgres_server.sql(samples, name) == "12.5 13 14"
    assert "ss:word" not in old.log
    assert "ss%3Aword" not in old.log
    new = start_hub(configuration(database))
    assert "the home was taken from postgresql://ann@127.0.0.1" in new.log
    assert state(new, "sensor.garden") == "14"
    assert new.stop() == 0
    old.start()
    wait_for(lambda: "taken over by another directory" in old.log, "the refusal")
    assert state(old, "sensor.garden") == "14"


def test_a_hub_lives_on_while_the_database_is_away(start_hub: StartHub, mortal: PostgresServer) -> None:
    url = mortal.new_database()
    hub = start_hub(configuration(url) + "  - {id: store, class: StoreDevice}\n")
    post_state(hub, "sensor.garden", "1")

    def seen(value: str) -> Callable[[], bool]:
        return lambda: mortal.sql("SELECT state FROM hallway.state WHERE entity_id = 'sensor.garden'", "home1") == value

    wait_for(lambda: mortal.sql("SELECT to_regclass('hallway.state')", "home1") != "", "the tables")
    wait_for(seen("1"), "the first state")
    mortal.kill()
    wait_for(lambda: status(hub)["problem"] is not None, "the trouble")
    wait_for(lambda: status(hub)["connected"] is False, "the loss of the connection")
    wait_for(lambda: state(hub, "hallway.store") == "problem", "the device of the store")
    for number in range(2, 50):
        post_state(hub, "sensor.garden", str(number))
    assert hub.stop() == 0
    hub.start()
    assert state(hub, "sensor.garden") == "49"
    mortal.start()
    wait_for(seen("49"), "the last state")
    assert "the database postgresql://ann@127.0.0.1" in hub.log


def both(server: PostgresServer, name: str, hub: RunningHub) -> list[tuple[int, int]]:
    """Messages, changes and traces: how many there are there and here."""
    with closing(sqlite3.connect(hub.home / "history.db")) as history:
        here = [history.execute(query).fetchone()[0] for query in HERE]
    return [
        (int(server.sql(f"SELECT count(*) FROM hallway.{table}", name)), count)
        for table, count in zip(("messages", "changes", "traces"), here, strict=True)
    ]


def same(server: PostgresServer, name: str, hub: RunningHub) -> bool:
    found = both(server, name, hub)
    return all(there == here for there, here in found) and min(here for _there, here in found) > 0


def traces(hub: RunningHub) -> list[object]:
    credential = b64encode(b"ann:secret").decode()
    answer = hub.ask("GET", "/api/rules/night/traces", headers={"Authorization": f"Basic {credential}"})
    assert answer.status == 200, answer.body
    found: list[object] = answer.json()["traces"]
    return found


def test_messages_changes_and_traces_survive_kills_and_the_loss_of_the_directory(
    start_hub: StartHub, postgres_server: PostgresServer, database: str
) -> None:
    name = database.rpartition("/")[2]
    hub = start_hub(configuration(database) + NIGHT)
    for number in range(4):
        for moment in range(40):
            post_state(hub, "sensor.garden", f"{number}.{moment}")
        time.sleep(0.4 * number)
        hub.kill()
        hub.start()
    assert hub.ask("POST", "/api/services/light/turn_on", {"entity_id": "light.bed_light"}).status == 200
    wait_for(lambda: bool(traces(hub)), "the rule")
    wait_for(lambda: same(postgres_server, name, hub), "the database")
    logs = status(hub)["logs"]
    assert isinstance(logs, dict)
    assert logs["problem"] is None
    kept = traces(hub)
    stop_with_all_sent(hub)
    assert same(postgres_server, name, hub)
    once = "SELECT count(*) FROM (SELECT seq, at FROM hallway.changes GROUP BY seq, at HAVING count(*) > 1) AS twice"
    assert postgres_server.sql(once, name) == "0"
    counts = both(postgres_server, name, hub)
    new = start_hub(configuration(database) + NIGHT)
    assert traces(new)[-len(kept) :] == kept
    assert all(now[1] >= then[1] for now, then in zip(both(postgres_server, name, new), counts, strict=True))
    wait_for(lambda: same(postgres_server, name, new), "the database of the new directory")


def test_a_new_home_does_not_begin_while_nobody_knows_whether_there_is_one(tmp_path: Path) -> None:
    hub = RunningHub(tmp_path / "home", configuration("postgresql://ann:secret@127.0.0.1:1/home"))
    with pytest.raises(AssertionError, match="the hub ended with 1"):
        hub.start()
    assert "there is no home.db" in hub.log
    assert "Traceback" not in hub.log
    assert "secret@" not in hub.log


def rows_of(server: PostgresServer, name: str) -> str:
    """What the database has of the home and its past."""
    parts = ("home", "state", "definition", "sample", "message", "change", "trace")
    sums = (f"(SELECT md5(string_agg(row::text, ' ' ORDER BY row::text)) FROM hallway.{part} AS row)" for part in parts)
    return server.sql(f"SELECT {', '.join(sums)}", name)


def test_a_directory_of_before_never_writes_over_a_later_home_even_when_it_has_counted_on(
    start_hub: StartHub, postgres_server: PostgresServer, database: str
) -> None:
    name = database.rpartition("/")[2]
    hub = start_hub(configuration(database) + "  - {id: store, class: StoreDevice}\n")
    post_state(hub, "sensor.garden", "first")
    stop_with_all_sent(hub)
    before = hub.home.with_name("before")
    shutil.copytree(hub.home, before)
    hub.start()
    for number in range(50):
        post_state(hub, "sensor.garden", f"later {number}")
    stop_with_all_sent(hub)
    kept = rows_of(postgres_server, name)
    shutil.rmtree(hub.home)
    before.rename(hub.home)
    hub.start()
    wait_for(lambda: "holds a later state of this home" in str(status(hub)["problem"]), "the refusal")
    wait_for(lambda: state(hub, "hallway.store") == "problem", "the device of the store")
    for number in range(200):
        post_state(hub, "sensor.garden", f"older {number}")
    assert hub.stop() == 0
    assert rows_of(postgres_server, name) == kept
    hub.start()
    wait_for(lambda: "was put back from a backup" in str(status(hub)["problem"]), "the refusal after a start")
    assert hub.stop() == 0
    assert rows_of(postgres_server, name) == kept


def test_what_a_restoration_leaves_out_is_what_the_database_knows_a_directory_by() -> None:
    assert OF_THE_DIRECTORY == (KIND, KEY)


def by_hand(*arguments: str | Path) -> str:
    """What a command says that is done well."""
    command = [sys.executable, "-m", "hallway", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_restored_home_takes_the_place_of_the_one_in_the_database_only_when_somebody_says_so(
    start_hub: StartHub, postgres_server: PostgresServer, database: str, tmp_path: Path
) -> None:
    name = database.rpartition("/")[2]
    hub = start_hub(configuration(database))
    post_state(hub, "sensor.garden", "of the backup")
    wait_for(lambda: bool(status(hub)["inStep"]), "the replica")
    stop_with_all_sent(hub)
    by_hand("backup", "--home", hub.home, tmp_path / "b.tar")
    hub.start()
    post_state(hub, "sensor.garden", "of later")
    stop_with_all_sent(hub)
    kept = rows_of(postgres_server, name)
    told = by_hand("restore", tmp_path / "b.tar", "--home", hub.home)
    for way in ("as the command says", "to another machine"):
        if way == "to another machine":
            shutil.rmtree(hub.home)
            by_hand("restore", tmp_path / "b.tar", "--home", hub.home)
        hub.start()
        wait_for(lambda: "was put back from a backup" in str(status(hub)["problem"]), f"the refusal, {way}")
        assert state(hub, "sensor.garden") == "of the backup"
        for number in range(50):
            post_state(hub, "sensor.shed", f"{number}")
        assert hub.stop() == 0
        assert rows_of(postgres_server, name) == kept
    said = f"hallway store move --home {hub.home} --to database --replace"
    assert f"`{said}`" in told
    by_hand(*said.split()[1:])
    hub.start()
    wait_for(lambda: bool(status(hub)["inStep"]), "the replica of the restored home")
    of_the_garden = "SELECT state FROM hallway.state WHERE entity_id = 'sensor.garden'"
    assert postgres_server.sql(of_the_garden, name) == "of the backup"


def texts(hub: RunningHub) -> str:
    credential = b64encode(b"ann:secret").decode()
    answer = hub.ask("GET", "/api/database/messages", headers={"Authorization": f"Basic {credential}"})
    assert answer.status == 200, answer.body
    return "\n".join(message["text"] for message in answer.json()["messages"])


def test_what_somebody_has_to_mend_is_told_to_people_also_while_the_server_is_there(
    start_hub: StartHub, postgres_server: PostgresServer, database: str
) -> None:
    name = database.rpartition("/")[2]
    user = f"user_of_{name}"
    postgres_server.sql(f"CREATE ROLE {user} LOGIN PASSWORD 'one'; ALTER DATABASE {name} OWNER TO {user}")
    url = f"postgresql://{user}:one@127.0.0.1:{postgres_server.port}/{name}"
    hub = start_hub(configuration(url) + "  - {id: store, class: StoreDevice}\n")
    wait_for(lambda: bool(status(hub)["inStep"]), "the replica")
    numbers = count()

    def shows(what: str) -> Callable[[], bool]:
        def is_shown() -> bool:
            post_state(hub, "sensor.garden", str(next(numbers)))
            return state(hub, "hallway.store") == what

        return is_shown

    postgres_server.sql(f"REVOKE ALL ON hallway.state, hallway.message FROM {user}", name)
    wait_for(shows("problem"), "the device of the store")
    wait_for(lambda: "permission denied for table state" in texts(hub), "a message of the home")
    wait_for(lambda: "permission denied for table message" in texts(hub), "a message of what happened")
    postgres_server.sql(f"GRANT ALL ON hallway.state, hallway.message TO {user}", name)
    wait_for(lambda: "in step with the home again" in texts(hub), "the end of the one")
    wait_for(lambda: "has all messages, changes and traces again" in texts(hub), "the end of the other")
    wait_for(shows("ok"), "the device of the store")
    postgres_server.sql(f"ALTER ROLE {user} PASSWORD 'two'")
    postgres_server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{user}'")
    wait_for(lambda: "mend user and password" in texts(hub), "a message of the password")


def is_dropped(server: PostgresServer, name: str) -> bool:
    try:
        server.sql("DROP SCHEMA hallway CASCADE", name)
    except subprocess.CalledProcessError:  # a deadlock with what is being written ends one of the two
        return False
    return True


@pytest.mark.parametrize("what", ["schema", "database"])
def test_that_the_past_in_the_database_was_dropped_is_told_to_people(
    start_hub: StartHub, postgres_server: PostgresServer, database: str, what: str
) -> None:
    name = database.rpartition("/")[2]
    hub = start_hub(configuration(database))
    wait_for(lambda: bool(status(hub)["inStep"]), "the replica")
    if what == "schema":
        wait_for(lambda: is_dropped(postgres_server, name), "a moment in which nobody holds two of the tables")
    else:
        postgres_server.sql(f"DROP DATABASE {name} WITH (FORCE)")
        wait_for(lambda: "make the database" in texts(hub), "a message that it is gone")
        postgres_server.sql(f"CREATE DATABASE {name}")
    numbers = count()

    def is_told(times: int) -> Callable[[], bool]:
        def told() -> bool:
            post_state(hub, "sensor.garden", str(next(numbers)))
            return texts(hub).count("is there again") >= times

        return told

    wait_for(is_told(1), "that it is there again")
    assert "samples that stood there alone are lost" in texts(hub)
    wait_for(lambda: bool(status(hub)["inStep"]), "the replica of the home")
    postgres_server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    wait_for(is_told(2), "that it is there again after a mere interruption")
    assert texts(hub).count("samples that stood there alone are lost") == 1
