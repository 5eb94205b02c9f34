"""home.db turns to noise while a hub runs: what is edited then is answered as made, is kept, and can be looked up."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hubs import Answer, RunningHub

HOME = "users: [{username: ann, password: hers, role: admin}]\n"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    found = RunningHub(tmp_path / "home", HOME)
    found.start()
    yield found
    found.kill()


def ask(hub: RunningHub, method: str, path: str, **data: object) -> Answer:
    headers = {"Authorization": f"Basic {b64encode(b'ann:hers').decode()}", "content-type": "application/json"}
    return hub.ask(method, path, body=json.dumps(data).encode() if data else None, headers=headers)


def value(hub: RunningHub, name: str) -> object:
    return ask(hub, "GET", f"/api/variables/{name}").json()["variable"]["value"]


def spoil(directory: Path) -> None:
    for name in ("home.db", "home.db-wal"):
        path = directory / name
        with path.open("r+b") as file:
            file.write(os.urandom(path.stat().st_size))


def test_edits_are_answered_as_made_and_reading_waits(hub: RunningHub) -> None:
    for name in ("v1", "v2", "v3"):
        assert ask(hub, "POST", f"/api/variables/{name}", type="value", valueOrExpression=1).status == 200
    spoil(hub.home)
    last = 0
    for number, name in enumerate(("v1", "v2", "v3")):
        changed = ask(hub, "PATCH", f"/api/variables/{name}", type="value", valueOrExpression=220 + number)
        assert (changed.status, value(hub, name)) == (200, 220 + number)
        last, before = int(changed.headers["x-hallway-revision"]), last
        assert last > before
    gone = ask(hub, "DELETE", "/api/variables/v3")
    assert gone.status == 200
    listed = ask(hub, "GET", "/api/revisions?kind=variable&limit=1")
    assert listed.status == 200
    undone = ask(hub, "POST", f"/api/revisions/{listed.json()['revisions'][0]['revision']}/undo")
    assert undone.status == 200
    hub.kill()
    hub.start()
    assert value(hub, "v1") == 220
