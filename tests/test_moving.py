"""`hallway import pimatic` and `hallway export pimatic`: what they write, what they tell, and how they end."""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hallway.access.passwords import is_password
from hallway.clock import VirtualClock
from hallway.settings import load
from hallway.store.lock import HubLock
from hallway.store.offline import resting
from tests.hubs import RunningHub
from tests.links.importers.configs import CONFIG, config

LAST = """
    CREATE TABLE message (id INTEGER PRIMARY KEY, time DATETIME, level INTEGER, tags TEXT, text TEXT);
    CREATE TABLE attributeValueNumber (id INTEGER PRIMARY KEY, time DATETIME, deviceAttributeId INTEGER, value FLOAT);
    CREATE TABLE deviceAttribute (id INTEGER PRIMARY KEY, deviceId TEXT, attributeName TEXT, type TEXT,
        lastUpdate DATETIME, lastValue TEXT);
    INSERT INTO message (time, level, tags, text) VALUES
        (1700000000000, 1, '[]', 'one'), (1700000001000, 2, '[]', 'two');
    INSERT INTO attributeValueNumber (time, deviceAttributeId, value) VALUES
        (1700000000000, 1, 30), (1700000001000, 1, 40), (1700000001000, 3, 1);
    INSERT INTO deviceAttribute (deviceId, attributeName, type, lastUpdate, lastValue) VALUES
        ('lamp', 'dimlevel', 'number', 1700000000000, '40'), ('lamp', 'state', 'boolean', 1700000001000, '1'),
        ('gone', 'state', 'boolean', 1700000001000, '1'), ('lamp', 'colour', 'string', 1700000001000, 'red');
"""


class Mover:
    """The command, with a config.json beside the home."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.config = folder / "config.json"
        self.put(CONFIG)

    def put(self, given: Any) -> None:
        self.config.write_text(given if isinstance(given, str) else json.dumps(given), "utf-8")

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hallway", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)

    def move_in(self, *options: str | Path) -> subprocess.CompletedProcess[str]:
        return self.run("import", "pimatic", self.config, "--home", self.home, *options)

    def move_out(self, *options: str | Path) -> subprocess.CompletedProcess[str]:
        return self.run("export", "pimatic", "--home", self.home, *options)

    def kept(self) -> dict[tuple[str, str], Any]:
        """All definitions of the home, of each kind in the order in which they came."""
        with resting(self.home, VirtualClock()) as home:
            return {(known.kind, known.id): known.body for known in home.definitions()}


@pytest.fixture
def mover(tmp_path: Path) -> Mover:
    return Mover(tmp_path)


def files_of(directory: Path) -> dict[str, bytes]:
    """All files but the lock, in which each program writes its number."""
    paths = sorted(path for path in directory.iterdir() if path.name != "hub.lock")
    return {path.name: hashlib.sha256(path.read_bytes()).digest() for path in paths}


# ---------------------------------------------------------------------- moving in


def test_everything_comes_over_and_the_home_can_be_checked(mover: Mover) -> None:
    ended = mover.move_in()
    assert (ended.returncode, ended.stderr) == (0, "")
    kept = mover.kept()
    for name, kind, named_by in (("devices", "device", "id"), ("rules", "rule", "id"), ("pages", "page", "id")):
        assert {key: body for (its, key), body in kept.items() if its == kind} == {
            entry[named_by]: entry for entry in CONFIG[name]
        }
    assert kept["order", "device"] == {"order": ["lamp", "heater", "hue"]}
    assert [key for kind, key in kept if kind == "user"] == ["zoe", "anna"]
    assert [key for kind, key in kept if kind == "role"] == ["reader", "admin"]
    assert kept["setting", "pimatic"]["locale"] == "de"
    assert mover.run("check", "--home", mover.home).returncode == 0


def test_passwords_are_kept_as_hashes_and_as_nothing_else(mover: Mover) -> None:
    mover.move_in()
    user = mover.kept()["user", "zoe"]
    assert is_password("päss:wörd".encode(), user["password_hash"])
    assert user["role"] == "admin"
    for path in mover.home.iterdir():
        for secret in ("päss:wörd", "staple", "s" * 32, "of the database"):
            assert secret.encode() not in path.read_bytes()


def test_the_configuration_that_is_written_can_be_used_and_is_private(mover: Mover) -> None:
    mover.move_in()
    settings = load(mover.home)
    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 8123)
    assert (settings.home.latitude, settings.home.longitude) == (52.5, 13.4)
    assert len(settings.http.api_password or "") >= 12
    for name in ("configuration.yaml", "home.db"):
        assert stat.S_IMODE((mover.home / name).stat().st_mode) == 0o600


def test_a_home_without_login_stays_open(mover: Mover) -> None:
    mover.put(config(settings={"authentication": {"enabled": False}}))
    assert "authentication is off" in mover.move_in().stdout
    assert load(mover.home).http.api_password is None
    assert mover.kept()["setting", "authentication"] == {"enabled": False}


def test_a_configuration_that_is_there_is_left_alone_and_counts(mover: Mover) -> None:
    mover.home.mkdir()
    written = "devices: [{id: lamp, class: DummySwitch}]\n"
    (mover.home / "configuration.yaml").write_text(written)
    told = mover.move_in().stdout
    assert "device lamp stands in configuration.yaml too" in told
    assert "is left as it is" in told
    assert (mover.home / "configuration.yaml").read_text() == written


def test_what_is_parked_or_left_out_is_told_and_is_no_failure(mover: Mover) -> None:
    users = [{"username": "ghost", "password": "ghost", "role": "missing"}, {"username": "eve", "role": "reader"}]
    mover.put(config(users=users, groups=[{"name": "no id"}]))
    ended = mover.move_in()
    assert ended.returncode == 0
    for sentence in (
        "parked: device hue: there is no device class 'HueLight'",
        "remark: user ghost: there is no role missing",
        "left out: groups, entry 1: id must be a text",
        "plugins are kept with their settings, but pimatic's plugins do not run here: cron, sunrise",
        "these came without a password and cannot log in: eve",
    ):
        assert sentence in ended.stdout
    assert mover.kept()["device", "hue"]["class"] == "HueLight"


# ---------------------------------------------------------------------- once more


def test_the_same_once_more_changes_nothing(mover: Mover) -> None:
    mover.move_in()
    before = files_of(mover.home)
    ended = mover.move_in()
    assert ended.returncode == 0
    assert "has all of it already" in ended.stdout
    assert files_of(mover.home) == before


def test_a_home_that_has_something_else_there_is_not_touched(mover: Mover) -> None:
    mover.move_in()
    before = mover.kept()
    mover.put(config(rules=[{**CONFIG["rules"][0], "active": True}], devices=[{"id": "new", "class": "DummySwitch"}]))
    ended = mover.move_in()
    assert ended.returncode == 1
    assert "(rule night)" in ended.stderr
    assert "--replace" in ended.stderr
    assert mover.kept() == before


def test_replace_takes_what_comes_and_removes_nothing(mover: Mover) -> None:
    mover.move_in()
    changed = {**CONFIG["rules"][0], "active": True}
    mover.put(config(rules=[changed], devices=[{"id": "new", "class": "DummySwitch"}]))
    assert mover.move_in("--replace").returncode == 0
    kept = mover.kept()
    assert kept["rule", "night"] == changed
    assert kept["device", "lamp"] == CONFIG["devices"][0]
    assert kept["order", "device"] == {"order": ["new", "lamp", "heater", "hue"]}


def test_another_password_of_a_user_has_to_be_meant(mover: Mover) -> None:
    mover.move_in()
    stamp = mover.kept()["user", "anna"]["stamp"]
    mover.put(config(users=[{"username": "anna", "password": "new", "role": "reader"}]))
    assert "(user anna)" in mover.move_in().stderr
    assert mover.move_in("--replace").returncode == 0
    user = mover.kept()["user", "anna"]
    assert is_password(b"new", user["password_hash"])
    assert user["stamp"] != stamp


# ---------------------------------------------------------------------- nothing is written


def test_what_nobody_could_mend_is_left_out_and_does_not_come_over(mover: Mover) -> None:
    mover.put(config(devices=[*CONFIG["devices"], {"id": "b d", "class": "DummySwitch"}]))
    ended = mover.move_in()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "left out: devices, entry 4: device id 'b d'" in ended.stdout
    assert "parked: device b d" not in ended.stdout
    assert ("device", "b d") not in mover.kept()
    assert mover.kept()["order", "device"] == {"order": ["lamp", "heater", "hue"]}


def test_broken_variables_stop_nothing_and_are_told_one_by_one(mover: Mover) -> None:
    broken = [{"name": "c1", "expression": "$nope + ("}, {"name": "c2", "expression": "$c1"}]
    mover.put(config(variables=[*CONFIG["variables"], *broken]))
    ended = mover.move_in()
    assert (ended.returncode, ended.stderr) == (0, "")
    parked, remark = (line for line in ended.stdout.splitlines() if "variable c" in line)
    assert parked.startswith("parked: variable c1: at character 10: the expression ends where ")
    assert remark == "remark: variable c2: $c1 does not work, so it is not computed"
    assert mover.kept()["variable", "c2"] == broken[1]


def test_settings_that_cannot_be_kept_leave_nothing_behind(mover: Mover) -> None:
    mover.put(json.dumps(config(settings={"locale": "\ud800"})))
    ended = mover.move_in()
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "the settings cannot be kept: a text holds half a surrogate pair" in ended.stderr
    assert not mover.home.exists()


def test_a_dry_run_tells_the_same_and_writes_nothing(mover: Mover) -> None:
    ended = mover.move_in("--dry-run")
    assert ended.returncode == 0
    assert "nothing was written" in ended.stdout
    assert "parked: device hue" in ended.stdout
    assert not mover.home.exists()
    mover.move_in()
    before = files_of(mover.home)
    mover.put(config(devices=[{"id": "new", "class": "DummySwitch"}]))
    assert "2 definitions would go into" in mover.move_in("--dry-run").stdout
    assert files_of(mover.home) == before


@pytest.fixture
def running(mover: Mover) -> Iterator[Mover]:
    """A home on which a hub runs, as far as others can see."""
    mover.home.mkdir()
    lock = HubLock(mover.home)
    yield mover
    lock.release()


@pytest.mark.parametrize("option", [[], ["--dry-run"]])
def test_a_home_that_runs_is_refused(running: Mover, option: list[str]) -> None:
    ended = running.move_in(*option)
    assert ended.returncode == 1
    assert "in use by another hub" in ended.stderr
    assert list(running.home.iterdir()) == [running.home / "hub.lock"]


def test_a_home_that_runs_is_not_written_out_either(running: Mover) -> None:
    (running.home / "configuration.yaml").touch()
    ended = running.move_out()
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "in use by another hub" in ended.stderr


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("{", "not JSON"),
        ('{"devices": /* ', "line 1 has no end"),
        ("[]", "is an object with settings"),
        ('{"a": 1}', "no config.json of pimatic"),
        (b"\xff\xfe", "is not UTF-8"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_ends_with_2(mover: Mover, written: Any, sentence: str) -> None:
    if written is None:
        mover.config.unlink()
    else:
        mover.config.write_bytes(written if isinstance(written, bytes) else written.encode())
    ended = mover.move_in()
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"hallway: {mover.config}: ")
    assert sentence in ended.stderr
    assert not mover.home.exists()


def test_a_configuration_with_mistakes_ends_with_2(mover: Mover) -> None:
    mover.home.mkdir()
    (mover.home / "configuration.yaml").write_text("http: {prot: 1}")
    ended = mover.move_in()
    assert ended.returncode == 2
    assert ended.stderr.startswith("configuration.yaml:1:")


@pytest.mark.parametrize(
    "command", [["import"], ["import", "domoticz"], ["import", "pimatic"], ["export"], ["export", "pimatic"]]
)
def test_a_wrong_command_line_is_explained(mover: Mover, command: list[str]) -> None:
    ended = mover.run(*command)
    assert ended.returncode == 2
    assert "usage: hallway" in ended.stderr


# ---------------------------------------------------------------------- last values


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "pimatic-database.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(LAST)
    return path


def test_devices_begin_with_their_last_values(mover: Mover, database: Path) -> None:
    ended = mover.move_in("--database", database)
    assert ended.returncode == 0
    assert "2 last values of attributes came over" in ended.stdout
    assert "2 last values did not" in ended.stdout
    assert "2 older values of 1 attributes came into the history" in ended.stdout
    assert "2 messages came over" in ended.stdout
    assert "1 older values did not come: there is no such attribute here" in ended.stdout
    with resting(mover.home, VirtualClock()) as home:
        found = {(v.device_id, v.attribute): (v.value, v.updated) for v in home.saved.values}
    assert found == {("lamp", "dimlevel"): (40, 1_700_000_000.0), ("lamp", "state"): (True, 1_700_000_001.0)}


def test_a_dry_run_tells_what_of_the_past_would_come(mover: Mover, database: Path) -> None:
    ended = mover.move_in("--database", database, "--dry-run")
    assert "2 older values and all messages would come into the history" in ended.stdout
    assert "1 older values would not: there is no such attribute here" in ended.stdout
    assert not mover.home.exists()


def test_a_home_that_keeps_its_past_elsewhere_is_told_so(mover: Mover, database: Path) -> None:
    mover.home.mkdir()
    (mover.home / "configuration.yaml").write_text("store: {url: postgresql://nobody@localhost/none}\n", "utf-8")
    ended = mover.move_in("--database", database)
    assert ended.returncode == 0
    assert "older values and messages stay behind: this home keeps its history in PostgreSQL" in ended.stdout


def test_values_of_devices_that_were_here_before_stay(mover: Mover, database: Path) -> None:
    mover.move_in()
    assert mover.move_in("--database", database).returncode == 0
    with resting(mover.home, VirtualClock()) as home:
        assert home.saved.values == ()


def test_a_database_that_is_none_ends_with_2(mover: Mover) -> None:
    ended = mover.move_in("--database", mover.config)
    assert ended.returncode == 2
    assert "config.json cannot be read" in ended.stderr
    assert not mover.home.exists()


# ---------------------------------------------------------------------- moving out


def test_in_and_out_and_in_again_is_the_same_home(mover: Mover, tmp_path: Path) -> None:
    mover.move_in()
    before = mover.kept()
    out = tmp_path / "out.json"
    ended = mover.move_out("--output", out)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert "passwords are kept as hashes and cannot be written" in ended.stderr
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    again = mover.run("import", "pimatic", out, "--home", mover.home)
    assert again.returncode == 0
    assert "has all of it already" in again.stdout
    assert mover.kept() == before
    elsewhere = Mover(tmp_path)
    elsewhere.home = tmp_path / "elsewhere"
    elsewhere.config = out
    assert "cannot log in: zoe, anna" in elsewhere.move_in().stdout
    assert without_login(elsewhere.kept()) == without_login(before)
    assert elsewhere.kept()["user", "zoe"]["password_hash"] == ""


def without_login(kept: dict[tuple[str, str], Any]) -> dict[tuple[str, str], Any]:
    """Definitions without what makes a user's password theirs."""
    secret = ("password_hash", "stamp")
    return {key: {name: body[name] for name in body if name not in secret} for key, body in kept.items()}


def test_what_the_configuration_declares_is_written_out_too(mover: Mover) -> None:
    mover.move_in()
    with (mover.home / "configuration.yaml").open("a") as file:
        file.write("devices: [{id: lamp, class: DummySwitch}]\nusers: [{username: me, password: x, role: admin}]\n")
    exported = json.loads(mover.move_out().stdout)
    assert exported["devices"][0] == {"id": "lamp", "class": "DummySwitch"}
    assert {"username": "me", "password": "", "role": "admin"} in exported["users"]


def test_writing_out_changes_nothing(mover: Mover) -> None:
    mover.move_in()
    before = files_of(mover.home)
    assert json.loads(mover.move_out().stdout)["rules"] == CONFIG["rules"]
    assert files_of(mover.home) == before


def test_there_has_to_be_a_home_to_write_out(mover: Mover) -> None:
    ended = mover.move_out()
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "there is no home" in ended.stderr


# ---------------------------------------------------------------------- and the hub that runs then


def basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


def test_a_hub_runs_the_home_that_moved_in(mover: Mover, database: Path) -> None:
    hub = RunningHub(mover.home, "log: {level: error}\n")
    assert mover.move_in("--database", database).returncode == 0
    hub.start()
    try:
        zoe, anna = basic("zoe", "päss:wörd"), basic("anna", "staple")
        devices = hub.ask("GET", "/api/devices", headers=anna).json()["devices"]
        assert [device["id"] for device in devices][:3] == ["lamp", "heater", "hue"]
        lamp = {attribute["name"]: attribute for attribute in devices[0]["attributes"]}
        assert lamp["dimlevel"]["value"] == 40
        assert lamp["dimlevel"]["lastUpdate"] == 1_700_000_000_000
        assert hub.ask("GET", "/api/rules/night", headers=anna).status == 403
        assert hub.ask("GET", "/api/devices", headers=basic("anna", "")).status == 401
        assert hub.ask("GET", "/api/devices", headers={}).status == 401
        variable = hub.ask("GET", "/api/variables/double", headers=zoe)
        assert variable.status == 403  # a role of the file, even when it is called admin
        refused = mover.move_in()
        assert refused.returncode == 1
        assert f"in use by another hub (process {hub.pid})" in refused.stderr
        hub.kill()
        exported = json.loads(mover.move_out().stdout)
        assert exported["devices"] == CONFIG["devices"]
        assert [user["username"] for user in exported["users"]] == ["zoe", "anna"]
    finally:
        hub.kill()
