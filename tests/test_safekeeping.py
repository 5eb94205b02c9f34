"""A hub that runs is backed up over its door, and one whose home.db is damaged starts and says so to people."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hallway.cli import main
from hallway.clock import SystemClock, VirtualClock
from hallway.home.changes import AnyChange, Fired
from hallway.home.home import Home
from hallway.home.values import Attributes
from hallway.safekeeping import CONTEXT, Safekeeping
from hallway.settings import BackupSettings
from hallway.store.store import Store
from tests.hubs import Answer, RunningHub

CONFIGURATION = """\
users:
  - {username: ann, password: anns, role: admin}
  - {username: guest, password: guests, role: readonly}
devices: [{id: store, class: StoreDevice}]
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    found = RunningHub(tmp_path / "home", CONFIGURATION)
    found.start()
    yield found
    found.kill()


def ask(hub: RunningHub, method: str, path: str, data: Any = None, who: str = "ann:anns") -> Answer:
    headers = {"authorization": f"Basic {b64encode(who.encode()).decode()}", "content-type": "application/json"}
    return hub.ask(method, path, data, headers=headers, timeout=180)


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hallway", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=180,
    )


def test_a_hub_is_backed_up_verified_and_restored(hub: RunningHub, tmp_path: Path) -> None:
    assert ask(hub, "GET", "/api/backup").json()["backup"]["files"] == []
    ask(hub, "POST", "/api/device-config", {"deviceConfig": {"id": "lamp", "class": "DummySwitch", "name": "Lamp"}})
    made = ask(hub, "POST", "/api/backup", {}).json()["made"]
    assert made["verified"] is True
    assert [file["file"] for file in ask(hub, "GET", "/api/backup").json()["backup"]["files"]] == [made["file"]]
    assert hub.ask("GET", "/api/states/backup.backup").json()["state"] == "ok"
    for method in ("GET", "POST"):
        assert ask(hub, method, "/api/backup", {} if method == "POST" else None, who="guest:guests").status in (
            401,
            403,
        )
    file = hub.home / "backups" / made["file"]
    verified = command("verify", file)
    assert (verified.returncode, verified.stderr) == (0, "")
    assert "is whole: made" in verified.stdout
    refused = command("restore", file, "--home", hub.home)
    assert refused.returncode == 1
    assert "is in use by another hub" in refused.stderr
    ask(hub, "DELETE", "/api/device-config/lamp")
    hub.stop()
    told = command("restore", file, "--home", hub.home, "--dry-run")
    assert "device: 1 added (lamp)" in told.stdout
    assert command("restore", file, "--home", hub.home).returncode == 0
    hub.start()
    assert ask(hub, "GET", "/api/devices/lamp").json()["device"]["name"] == "Lamp"


def test_who_restores_a_home_with_a_database_is_told_what_is_left_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, file = tmp_path / "home", tmp_path / "b.tar"
    home.mkdir()
    home.joinpath("configuration.yaml").write_text("store: {url: 'postgresql://ann:secret@127.0.0.1/there'}\n")
    asyncio.run(Store.open(home, VirtualClock()).close())
    assert main(["backup", "--home", str(home), str(file)]) == 0
    wanted = f"hallway store move --home {home} --to database --replace"
    capsys.readouterr()
    assert main(["restore", str(file), "--home", str(home), "--dry-run"]) == 0
    assert wanted not in capsys.readouterr().out
    assert main(["restore", str(file), "--home", str(home)]) == 0
    told = capsys.readouterr().out
    assert wanted in told.splitlines()[-1]
    assert "secret" not in told
    home.joinpath("configuration.yaml").write_text("")
    assert main(["restore", str(file), "--home", str(home), "--keep-configuration"]) == 0
    assert "database" not in capsys.readouterr().out


def test_a_damaged_home_starts_and_says_so_to_people(hub: RunningHub) -> None:
    ask(hub, "POST", "/api/device-config", {"deviceConfig": {"id": "lamp", "class": "DummySwitch", "name": "Lamp"}})
    hub.stop()
    database = hub.home / "home.db"
    data = database.read_bytes()
    database.write_bytes(data[:1024] + b"\xa5" * (len(data) - 1024))
    hub.start()
    assert ask(hub, "GET", "/api/devices/lamp").json()["device"]["name"] == "Lamp"
    told = [each for each in ask(hub, "GET", "/api/database/messages").json()["messages"] if each["level"] == "error"]
    assert [message["text"].split(" (")[0] for message in told] == ["home.db was damaged"]
    assert "it was mended from generations/home-" in told[0]["text"]
    assert "it was mended from generations/home-" in hub.log
    assert list(hub.home.glob("home.db.damaged-*"))


@pytest.mark.parametrize("how", ["overwritten", "deleted", "emptied"])
def test_a_home_that_is_damaged_while_the_hub_runs_is_mended_and_takes_edits(hub: RunningHub, how: str) -> None:
    def edit(device_id: str) -> int:
        config = {"id": device_id, "class": "DummySwitch", "name": device_id}
        return ask(hub, "POST", "/api/device-config", {"deviceConfig": config}).status

    rule = {"name": "Told", "ruleString": 'when event "store_problem" is fired then log "heard of it"'}
    assert ask(hub, "POST", "/api/rules/told", {"rule": rule}).status == 200
    assert edit("lamp") == 200
    database = hub.home / "home.db"
    with closing(sqlite3.connect(database)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if how == "deleted":
        database.unlink()
    else:
        with database.open("r+b") as file:
            file.truncate(0)
            file.write(b"\xa5" * 40_000 if how == "overwritten" else b"")
    assert edit("fan") == 200
    end = time.monotonic() + 120
    while "it was made again while the hub runs" not in hub.log and time.monotonic() < end:
        time.sleep(0.05)
    assert edit("radio") == 200
    texts = [each["text"] for each in ask(hub, "GET", "/api/database/messages").json()["messages"]]
    assert [text for text in texts if text.startswith("home.db was damaged (")]
    assert [text for text in texts if "heard of it" in text]
    hub.kill()
    hub.start()
    devices = ask(hub, "GET", "/api/devices").json()["devices"]
    assert {"lamp", "fan", "radio"} <= {device["id"] for device in devices}
    assert hub.log.count("home.db was damaged (") == 1


def test_what_cannot_be_backed_up_is_said(hub: RunningHub) -> None:
    (hub.home / "backups").write_text("no directory")
    answer = ask(hub, "POST", "/api/backup", {})
    assert answer.status == 503
    assert "there is no backup: " in answer.json()["message"]
    backup = ask(hub, "GET", "/api/backup").json()["backup"]
    assert "cannot be written" in backup["error"]["text"]
    assert hub.ask("GET", "/api/states/backup.backup").json()["state"] == "failed"
    assert "no backup was made: " in hub.log
    shown = hub.ask("GET", "/api/states/hallway.store").json()
    assert (shown["state"], shown["attributes"]["what"][:19]) == ("problem", "no backup was made:")
    (hub.home / "backups").unlink()
    made = ask(hub, "POST", "/api/backup", {}).json()["made"]
    shown = hub.ask("GET", "/api/states/hallway.store").json()
    assert (shown["state"], "what" in shown["attributes"]) == ("ok", False)
    assert shown["attributes"]["lastBackup"].replace("-", "").replace(":", "") in made["file"]


async def test_what_is_wrong_with_the_disk_stands_among_the_messages(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    store = Store.open(tmp_path, SystemClock(loop))
    home = Home(SystemClock(loop), seq=store.saved.seq)
    store.attach(home, loop)
    safekeeping = Safekeeping(home, store, tmp_path, BackupSettings(), loop)
    safekeeping.start()
    fired: list[Attributes] = []
    heard = asyncio.Event()

    def hear(change: AnyChange) -> None:
        assert isinstance(change, Fired)
        fired.append(change.data)
        heard.set()

    home.changes.watch("event:store_problem", hear)
    store.report_damage("page 7 is gone")
    await asyncio.wait_for(heard.wait(), 100)
    message = home.messages.all()[-1]
    assert (message.level, message.tags) == ("error", ("store",))
    assert message.text.startswith("home.db was damaged (page 7 is gone): it was made again while the hub runs")
    assert fired == [{"problem": message.text}]
    store.report_damage("page 8, too")
    await asyncio.sleep(0.01)
    again = home.messages.all()[-1]
    assert again.text == "home.db is damaged: page 8, too; start the hub again soon, it is mended then"
    safekeeping.stop()
    store.report_damage("page 9, too")
    await asyncio.sleep(0.01)
    assert home.messages.all()[-1] == again
    await store.close()
    await safekeeping.finish()


async def test_what_waits_of_the_past_is_at_risk_while_something_is_wrong_with_it(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    store = Store.open(tmp_path, SystemClock(loop))
    home = Home(SystemClock(loop), seq=store.saved.seq)
    store.attach(home, loop)
    safekeeping = Safekeeping(home, store, tmp_path, BackupSettings(), loop)
    problems = ["history.db cannot be written", "the database is away"]
    safekeeping.watch_past(lambda: problems[0] if len(problems) == 2 else None, lambda: 7)
    safekeeping.watch_elsewhere(lambda: problems[-1] if problems else None)
    home.add_device({"id": "store", "class": "StoreDevice"}, "store", CONTEXT)
    shown = []
    for _ in range(3):
        safekeeping.start()
        state = home.state("hallway.store")
        assert state is not None
        shown.append((state.state, state.attributes.get("what"), state.attributes["atRisk"]))
        safekeeping.stop()
        problems = problems[1:]
    assert shown == [
        ("problem", "history.db cannot be written", 7),
        ("problem", "the database is away", 0),
        ("ok", None, 0),
    ]
    await store.close()
    await safekeeping.finish()
