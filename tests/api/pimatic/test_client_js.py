"""The JavaScript client does for every operation what its declaration says, as pimatic's own does."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hallway.api.operations.pimatic.table import OPERATIONS
from hallway.api.pimatic.client_js import client_script
from tests.api.pimatic.declared import EVIL

PROGRAM = Path(__file__).with_name("programs") / "client.js"
GOOD = {"status": 200, "text": '{"device": {}, "success": true}'}


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("client") / "decl-api-client.js"
    path.write_bytes(client_script(OPERATIONS))
    return path


def run(script: Path, action: str, params: Any = None, **given: Any) -> Any:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node on PATH")
    told = json.dumps({"action": action, "params": params, "answer": GOOD, **given})
    done = subprocess.run(
        [node, str(PROGRAM), str(script), told], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_description_is_put_in_whole_and_in_ascii() -> None:
    text = client_script((*OPERATIONS, EVIL))
    assert text.isascii()
    assert b'"the description of the API"' not in text
    assert text.count(b'"getDevices"') == 1


def test_there_is_a_function_for_each_operation(script: Path) -> None:
    over_http = run(script, "getDevices")
    assert set(over_http["names"]) == {declared.name for declared in OPERATIONS if declared.route}
    over_socket = run(script, "getDevices", socket=True, callResult={"success": True, "result": {}})
    assert set(over_socket["names"]) == {declared.name for declared in OPERATIONS}


def test_what_stands_in_the_path_is_put_there(script: Path) -> None:
    said = run(script, "getDeviceById", {"deviceId": "a b/c"})
    assert said["sent"] == [{"url": "/api/devices/a%20b%2Fc", "method": "GET", "credentials": "same-origin"}]
    assert said["result"] == {"value": {"device": {}, "success": True}}


def test_a_query_has_brackets(script: Path) -> None:
    said = run(script, "queryMessages", {"criteria": {"level": ["info", "warn"], "limit": 5}})
    url = "/api/database/messages?criteria%5Blevel%5D%5B%5D=info&criteria%5Blevel%5D%5B%5D=warn&criteria%5Blimit%5D=5"
    assert said["sent"][0]["url"] == url


def test_what_changes_something_goes_as_json(script: Path) -> None:
    given = {"name": "x", "type": "value", "valueOrExpression": 5}
    (sent,) = run(script, "updateVariable", given)["sent"]
    assert (sent["url"], sent["method"]) == ("/api/variables/x", "PATCH")
    assert sent["headers"] == {"Content-Type": "application/json"}
    assert json.loads(sent["body"]) == {"type": "value", "valueOrExpression": 5}


def test_the_parameters_of_a_device_s_action_go_along(script: Path) -> None:
    said = run(script, "callDeviceAction", {"deviceId": "lamp", "actionName": "changeDimlevelTo", "dimlevel": 50})
    assert said["sent"][0]["url"] == "/api/device/lamp/changeDimlevelTo?dimlevel=50"


@pytest.mark.parametrize("socket", [False, True])
def test_a_parameter_that_is_missing_is_named_before_anything_is_sent(script: Path, socket: bool) -> None:
    said = run(script, "getDeviceById", {"deviceId": None}, socket=socket)
    assert said["result"] == {"error": "getDeviceById: expected param deviceId"}
    assert said["sent"] == []


def test_a_refusal_is_an_error_with_what_was_answered(script: Path) -> None:
    said = run(script, "getDevices", answer={"status": 400, "text": '{"success": false, "message": "no"}'})
    assert said["result"] == {"error": "no", "status": 400, "responseJSON": {"success": False, "message": "no"}}
    said = run(script, "getDevices", answer={"status": 401, "text": "Unauthorized"})
    assert said["result"] == {"error": "as told", "status": 401, "responseJSON": "Unauthorized"}


def test_pages_with_jquery_get_what_it_gives_with_their_options(script: Path) -> None:
    said = run(script, "getDevices", {}, jQuery=True, options={"global": False, "timeout": 5})
    assert said["sent"] == [{"global": False, "timeout": 5, "type": "GET", "url": "/api/devices", "data": {}}]
    assert said["result"] == {"value": "jqXHR"}
    (sent,) = run(script, "addPage", {"pageId": "a", "page": {"name": "A"}}, jQuery=True)["sent"]
    assert (sent["type"], sent["url"], sent["contentType"]) == ("POST", "/api/pages/a", "application/json")
    assert json.loads(sent["data"]) == {"page": {"name": "A"}}


def test_a_call_over_the_socket_waits_for_its_own_result(script: Path) -> None:
    answer = {"success": True, "result": {"device": 5}}
    said = run(script, "getDeviceById", {"deviceId": "a"}, socket=True, callResult=answer)
    (sent,) = said["sent"]
    assert (sent["event"], sent["action"], sent["params"]) == ("call", "getDeviceById", {"deviceId": "a"})
    assert said["result"] == {"value": {"device": 5}}


def test_a_call_that_is_refused_is_an_error(script: Path) -> None:
    said = run(script, "getDevices", {}, socket=True, callResult={"success": False, "error": "permission denied"})
    assert said["result"] == {"error": "permission denied"}


def test_a_page_keeps_the_names_that_it_has(script: Path) -> None:
    own = {"actions": {"own": {"rest": {"type": "GET", "url": "/api/own"}}}}
    said = run(script, "own", {}, before={"api": own, "pimatic": {"mine": 1}})
    assert said["names"] == ["own"]
    assert said["pimatic"] == ["mine"]
    assert run(script, "getDevices")["pimatic"] == ["apiDef", "rest"]
