"""What is secret somewhere in a hub never stands in a message: neither told nor in the file that keeps it."""

from __future__ import annotations

import json
import sqlite3
from base64 import b64encode
from contextlib import closing
from pathlib import Path

import pytest

from hallway.clock import VirtualClock
from hallway.home.changes import Context
from hallway.home.home import Home
from hallway.home.messages import HIDDEN
from hallway.secrecy import Secrecy
from hallway.settings import Settings, StoreSettings
from tests.conftest import StartHub
from tests.hubs import RunningHub
from tests.peers.waiting import wait_until

SECRETS = (
    "api-password-1",
    "users-password-2",
    "plugin-token-3",
    "4444444",
    "links-password-5",
    "device-key-6",
    "late-7-token",
)
CONFIGURATION = """\
http: {port: %d, api_password: api-password-1}
users: [{username: admin, password: users-password-2, role: admin}]
devices: [{id: lamp, class: DummySwitch, apiKey: device-key-6, pin: 4444444}]
links: [{type: homeassistant, host: 127.0.0.1, port: 9, api_password: links-password-5}]
"""
ADMIN = {"authorization": "Basic " + b64encode(b"admin:users-password-2").decode(), "content-type": "application/json"}


@pytest.fixture
def hub(start_hub: StartHub) -> RunningHub:
    hub = start_hub("")
    hub.configure(CONFIGURATION % hub.port)
    hub.password = "api-password-1"
    hub.restart()
    return hub


def texts(hub: RunningHub) -> list[str]:
    answer = hub.ask("GET", "/api/database/messages", headers=ADMIN)
    return [message["text"] for message in answer.json()["messages"]]


def test_a_rule_that_logs_a_secret_logs_signs(hub: RunningHub) -> None:
    config = hub.ask("GET", "/api/config", headers=ADMIN).json()["config"]
    config["plugins"] = [{"plugin": "weather", "token": "plugin-token-3"}]
    assert hub.ask("POST", "/api/config", {"config": config}, headers=ADMIN).status == 200
    other = {"id": "other", "name": "Other", "class": "DummySwitch", "accessToken": "late-7-token"}
    assert hub.ask("POST", "/api/device-config", {"deviceConfig": other}, headers=ADMIN).status == 200
    for secret in SECRETS:
        action = {"actionString": f'log "it is {secret}."', "logging": True}
        assert hub.ask("POST", "/api/execute-action", action, headers=ADMIN).status == 200
    told = [text for text in texts(hub) if text.startswith("it is ")]
    assert told == [f"it is {HIDDEN}."] * len(SECRETS)
    hub.ask("GET", "/api/states?api_password=wrong-password-8")
    hub.ask("POST", "/api/event_forwarding", {"host": "127.0.0.1", "port": 9, "api_password": "peer-password-9"})
    wait_until(lambda: any("hallway: started" in text for text in texts(hub)), 120, "what is said at the start")
    hub.stop()
    kept = b"".join(path.read_bytes() for path in sorted(hub.home.glob("history.db*")))
    for secret in (*SECRETS, "wrong-password-8", "peer-password-9"):
        assert secret.encode() not in kept, json.dumps(secret)


@pytest.mark.parametrize("form", ["p%40ssQ:wordlong", "p@ssQ:wordlong", "p%40ssQ%3Awordlong"])
def test_the_password_of_the_database_is_hidden_in_all_its_forms(form: str) -> None:
    url = "postgresql://ann:p%40ssQ:wordlong@127.0.0.1/there"
    home = Home(VirtualClock())
    Secrecy(home, Settings(source=Path("configuration.yaml"), store=StoreSettings(url=url)), {})
    assert home.messages.say("info", f"it is {form} indeed", (), Context("test")).text == f"it is {HIDDEN} indeed"


def test_a_trace_tells_no_secret_either(hub: RunningHub) -> None:
    words = 'log "it is $word" and log "see http://u:pass99@host/" and log "then $word" after 1 hour'
    body = {"name": "Told", "ruleString": f"when $word changes then {words}"}
    first, then = ({"type": "value", "valueOrExpression": value} for value in ("?", "api-password-1"))
    assert hub.ask("POST", "/api/variables/word", first, headers=ADMIN).status == 200
    assert hub.ask("POST", "/api/rules/told", {"rule": body}, headers=ADMIN).status == 200
    assert hub.ask("PATCH", "/api/variables/word", then, headers=ADMIN).status == 200
    (trace,) = hub.ask("GET", "/api/rules/told/traces", headers=ADMIN).json()["traces"]
    said = [action.get("text") for action in trace["actions"]]
    assert said[:2] == [f"it is {HIDDEN}", f"see http://{HIDDEN}@host/"]
    assert trace["cause"] == f"$word is {HIDDEN}"
    hub.stop()
    with closing(sqlite3.connect(hub.home / "history.db")) as history:
        ((kept,),) = history.execute("SELECT body FROM trace").fetchall()
    told = json.loads(kept)
    assert told.pop("seen")[0]["values"] == {"word": "api-password-1"}  # a value, not a text
    assert "api-password-1" not in str(told)
    assert "pass99" not in str(told)
