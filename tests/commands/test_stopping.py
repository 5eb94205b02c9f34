"""A command that is stopped by Ctrl-C or a signal: one sentence, a status that says how, and nothing half done."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from hallway.store.offline import looked_at
from hallway.store.trials import PREFIX
from tests.commands.stopped import files_in, hallway, stopped, write_home
from tests.postgres_server import PostgresServer
from tests.store.test_offline import CLOCK

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
PIMATIC = {"devices": [{"id": "door", "name": "Door", "class": "DummyContactSensor"}], "users": [], "roles": []}


def status_of(how: str) -> int:
    return 128 + int(getattr(signal, how))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return write_home(tmp_path / "home")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(PIMATIC), "utf-8")
    return path


def devices_of(home: Path) -> set[str]:
    with looked_at(home, CLOCK) as found:
        return {each.id for each in found.definitions() if each.kind == "device"}


# ---------------------------------------------------------------------- files


@pytest.mark.parametrize("how", SIGNALS)
def test_a_backup_is_not_made(home: Path, tmp_path: Path, how: str) -> None:
    before = files_in(tmp_path)
    for where in ("store.backup:_pack", "store.store:Store.open", "store.backup:snapshot"):
        ended = stopped(f"hallway.{where}", how, "backup", tmp_path / "b.tar", "--home", home)
        assert (ended.returncode, ended.stdout) == (status_of(how), "")
        assert ended.stderr == "hallway: stopped: no backup was made\n"
        assert files_in(tmp_path) == before


def test_a_home_is_as_it_was_or_as_it_was_to_be(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "b.tar"
    assert hallway("backup", file, "--home", home).returncode == 0
    (home / "configuration.yaml").write_text("devices: []  # later\n")
    before = files_in(home)
    ended = stopped("hallway.store.restoring:_present", "SIGTERM", "restore", file, "--home", home)
    assert (ended.returncode, ended.stderr) == (143, f"hallway: stopped: the home in {home} is as it was\n")
    assert files_in(home) == before
    ended = stopped("hallway.store.restoring:_verify", "SIGTERM", "restore", file, "--home", home)
    assert ended.returncode == 143
    assert ended.stderr == (
        f"hallway: stopped: the restored home is in place in {home}, though it was not read again\n"
    )
    assert "later" not in (home / "configuration.yaml").read_text()
    ended = stopped("hallway.store.backup:_wrong_home", "SIGTERM", "verify", file)
    assert (ended.returncode, ended.stderr) == (143, f"hallway: stopped: {file} was not looked at to its end\n")


def test_a_signal_that_comes_twice_does_not_cut_off_the_clearing_up(home: Path, tmp_path: Path) -> None:
    before = files_in(tmp_path)
    ended = stopped("hallway.store.backup:_pack", "SIGTERM", "backup", tmp_path / "b.tar", "--home", home, again=True)
    assert (ended.returncode, ended.stderr) == (143, "hallway: stopped: no backup was made\n")
    assert files_in(tmp_path) == before


def test_what_shall_go_on_when_the_terminal_closes_goes_on(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "b.tar"
    ended = stopped("hallway.store.backup:_pack", "SIGHUP", "backup", file, "--home", home, wrapped=("nohup",))
    assert ended.returncode == 0
    assert file.exists()


@pytest.mark.parametrize("how", SIGNALS)
def test_a_file_that_was_to_be_written_is_as_it_was(tmp_path: Path, how: str) -> None:
    output = tmp_path / "all.csv"
    output.write_text("older")
    ended = stopped("hallway.commands.history:pieces", how, "history", "export", "--output", output)
    assert (ended.returncode, ended.stderr) == (status_of(how), f"hallway: stopped: {output} is as it was\n")
    assert files_in(tmp_path) == {"all.csv": b"older"}


@pytest.mark.parametrize("how", SIGNALS)
def test_what_has_got_its_name_is_not_denied(home: Path, tmp_path: Path, how: str) -> None:
    backup, config = tmp_path / "b.tar", tmp_path / "config.json"
    renamed = "hallway.durable:sync_directory"
    ended = stopped(renamed, how, "backup", backup, "--home", home, once_there=backup)
    assert (ended.returncode, ended.stderr) == (status_of(how), f"hallway: stopped: the backup is made: {backup}\n")
    assert hallway("verify", backup).returncode == 0
    ended = stopped(renamed, how, "export", "pimatic", "--home", home, "--output", config, once_there=config)
    assert (ended.returncode, ended.stderr) == (status_of(how), f"hallway: stopped: {config} is new and complete\n")
    assert json.loads(config.read_bytes())["devices"]


# ---------------------------------------------------------------------- moving


@pytest.mark.parametrize("how", SIGNALS)
def test_an_import_is_not_done_or_can_be_done_to_its_end(home: Path, config: Path, how: str) -> None:
    before = files_in(home)
    command = ("import", "pimatic", config, "--home", home)
    for where in ("hallway.moving:tried", "hallway.moving:_plan"):
        ended = stopped(where, how, *command)
        assert (ended.returncode, ended.stderr) == (status_of(how), "hallway: stopped: nothing was changed\n")
    ended = stopped("hallway.moving:_told_of_past", how, *command, "--dry-run")
    assert (ended.returncode, ended.stderr) == (status_of(how), "hallway: stopped: nothing was changed\n")
    assert files_in(home) == before
    ended = stopped("hallway.moving:_told_of_past", how, *command)
    sentence = f"what came into {home} stays, and the same command once more does the rest"
    assert (ended.returncode, ended.stderr) == (status_of(how), f"hallway: stopped: {sentence}\n")
    assert devices_of(home) == {"lamp", "door"}
    assert hallway(*command).returncode == 0


def test_a_home_moves_into_a_database_and_back_all_the_same(
    home: Path, tmp_path: Path, database: str, postgres_server: PostgresServer
) -> None:
    said = "hallway: stopped: what was moved stays, and the same command once more does the rest\n"
    there = ("store", "move", "--home", home, "--to", database)
    ended = stopped("hallway.store.postgres.moving:_past_out", "SIGTERM", *there)
    assert (ended.returncode, ended.stdout, ended.stderr) == (143, "", said)
    assert hallway(*there).returncode == 0
    count = "SELECT count(*) FROM hallway.definition WHERE kind = 'device'"
    assert postgres_server.sql(count, database.rpartition("/")[2]) == "1"
    ended = stopped("hallway.store.postgres.moving:_past_out", "SIGTERM", *there, "--dry-run")
    assert (ended.returncode, ended.stderr) == (143, "hallway: stopped: nothing was changed\n")

    new = tmp_path / "new"
    back = ("store", "move", "--home", new, "--to", "files")
    new.mkdir()
    (new / "configuration.yaml").write_text(f'store: {{url: "{database}"}}\n')
    ended = stopped("hallway.store.postgres.fetching:_fill", "SIGTERM", *back)
    assert (ended.returncode, ended.stdout, ended.stderr) == (143, "", said)
    assert [path.name for path in new.iterdir()] == ["configuration.yaml"]
    assert hallway(*back).returncode == 0
    assert devices_of(new) == {"lamp"}


def test_what_a_kill_leaves_of_a_dry_run_is_beside_the_home_and_cleared_by_the_next(
    home: Path, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("TMPDIR", str(elsewhere))
    before = files_in(tmp_path)
    dry_run = ("import", "pimatic", config, "--home", home, "--dry-run")
    stopped("hallway.store.offline:resting", "SIGKILL", *dry_run)
    assert list(elsewhere.iterdir()) == []
    assert len([path for path in home.iterdir() if path.name.startswith(PREFIX)]) == 1
    assert hallway(*dry_run).returncode == 0
    assert files_in(tmp_path) == before
    stopped("hallway.store.offline:resting", "SIGKILL", "export", "pimatic", "--home", home)
    assert hallway("export", "pimatic", "--home", home).returncode == 0
    assert files_in(tmp_path) == before


# ---------------------------------------------------------------------- questions


@pytest.mark.parametrize(
    ("where", "arguments", "said"),
    [
        ("hallway.cli:load", ("check", "--home", "."), "nothing was changed"),
        ("hallway.commands.client:Hub.ask", ("rule", "list"), "nothing was changed"),
        ("hallway.commands.client:Hub.ask", ("revisions", "list"), "nothing was changed"),
        (
            "hallway.commands.client:Hub.ask",
            ("revisions", "undo", "7"),
            "`hallway revisions list` tells whether the hub has done it",
        ),
        ("hallway.commands.client:Hub.take", ("history", "export"), "what was printed is not all of it"),
    ],
)
def test_a_question_is_not_answered(where: str, arguments: tuple[str, ...], said: str) -> None:
    ended = stopped(where, "SIGTERM", *arguments)
    assert (ended.returncode, ended.stdout, ended.stderr) == (143, "", f"hallway: stopped: {said}\n")
