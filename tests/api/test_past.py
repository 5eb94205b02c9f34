"""The past and the messages of a running hub, as clients see them: at once, over kills, and in any amount."""

from __future__ import annotations

import json
import socket
import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from tests.api.wire import Wire, settled_memory
from tests.conftest import StartHub
from tests.hubs import DEMO_DEVICES, RunningHub
from tests.kept import kept

MORE = """\
users: [{username: admin, password: a long password, role: admin}]
variables: [{name: x, value: 1}]
history: {write_every: 1 s}
"""


def basic(user: str) -> dict[str, str]:
    return {"authorization": "Basic " + b64encode(user.encode()).decode(), "content-type": "application/json"}


ADMIN = basic("admin:a long password")


def soon(look: Callable[[], Any], seconds: float = 45) -> Any:
    """What a look gives once it gives something."""
    end = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < end:
        time.sleep(0.02)
    return found


@pytest.fixture
def hub(start_hub: StartHub) -> RunningHub:
    return start_hub(DEMO_DEVICES + MORE)


def post(hub: RunningHub, entity_id: str, state: str, **attributes: Any) -> None:
    assert hub.ask("POST", f"/api/states/{entity_id}", {"state": state, "attributes": attributes}).status in (200, 201)


def texts(hub: RunningHub, path: str) -> list[list[str]]:
    return [[state["state"] for state in states] for states in hub.ask("GET", path).json()]


def test_a_state_is_history_at_once_and_after_a_kill(hub: RunningHub) -> None:
    for state in ("one", "two", "three"):
        post(hub, "weather.out", state, humidity=5)
        time.sleep(0.005)
    post(hub, "weather.out", "three", humidity=6)
    path = "/api/history/period?filter_entity_id=weather.out"
    assert texts(hub, path) == [["one", "two", "three"]]
    recent = hub.ask("GET", "/api/history/entity/weather.out/recent_states").json()
    assert [state["state"] for state in recent] == ["three", "two", "one"]
    assert [state["attributes"] for state in recent] == [{"humidity": 5}] * 3
    assert soon(lambda: hub.ask("GET", "/api/history/status", headers=ADMIN).json()["status"]["waiting"] == 0)
    assert soon(lambda: kept(hub.home, "SELECT count(*) FROM message") > 0)
    hub.kill()
    hub.start()
    assert texts(hub, path) == [["one", "two", "three"]]
    assert [line["message"] for line in hub.ask("GET", "/api/logbook").json()][:1] == ["started"]


def test_messages_survive_a_kill_and_an_error_is_soon_safe(hub: RunningHub) -> None:
    def messages(**criteria: str) -> list[str]:
        query = "&".join(f"criteria[{name}]={value}" for name, value in criteria.items())
        answer = hub.ask("GET", f"/api/database/messages?{query}", headers=ADMIN)
        return [message["text"] for message in answer.json()["messages"]]

    odd = {"ruleString": 'when $x > 5 then log "never"', "name": "odd", "active": True, "logging": True}
    assert hub.ask("POST", "/api/rules/odd", {"rule": odd}, headers=ADMIN).status == 200
    text = {"type": "value", "valueOrExpression": "no number"}
    assert hub.ask("PATCH", "/api/variables/x", text, headers=ADMIN).status == 200
    on_disk = "SELECT count(*) FROM message WHERE level = 'error'"
    assert soon(lambda: 0 < len(messages(level="error")) == kept(hub.home, on_disk))
    said = messages(level="error")
    hub.kill()
    hub.start()
    assert messages(level="error") == said
    assert hub.ask("DELETE", "/api/database/messages?criteria[level]=error", headers=ADMIN).json()["result"] == len(
        said
    )
    assert messages(level="error") == []


def test_old_clients_get_whole_answers_without_chunks(hub: RunningHub) -> None:
    for number in range(300):
        post(hub, "sensor.many", str(number), text="x" * 300)
    with socket.create_connection((hub.host, hub.port)) as old:
        old.sendall(f"GET /api/history/period HTTP/1.0\r\nX-HA-Access: {hub.password}\r\n\r\n".encode())
        answer = b""
        while piece := old.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert any(len(states) == 300 for states in json.loads(body))


def test_who_asks_for_much_and_reads_nothing_costs_little(hub: RunningHub) -> None:
    with Wire(hub) as wire:
        for number in range(4000):
            data = {"state": str(number), "attributes": {"text": f"{number} " * 300}}
            assert wire.ask("POST", "/api/states/sensor.large", data).status in (200, 201)
    before = settled_memory(hub)
    lazy = []
    for _ in range(5):
        client = socket.create_connection((hub.host, hub.port))
        client.sendall(f"GET /api/history/period HTTP/1.1\r\nHost: hub\r\nX-HA-Access: {hub.password}\r\n\r\n".encode())
        lazy.append(client)
    soon(lambda: hub.ask("GET", "/api/").status == 200)
    time.sleep(1)
    grown = hub.process.memory_info().rss - before
    for client in lazy:
        client.close()
    assert grown < 30_000_000  # of five answers of six megabytes each
    answer = hub.ask("GET", "/api/history/period?filter_entity_id=sensor.large")
    assert len(answer.json()[0]) == 4000
