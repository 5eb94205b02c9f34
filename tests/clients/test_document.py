"""The two ways to use the API that its document of 2014 prints: curl, and Python with requests."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import pytest
import requests

from tests.peers.environments import program
from tests.peers.rest import Listening, Rest
from tests.peers.targets import Target
from tests.peers.waiting import stays, wait_until

SUN = {"next_rising": "07:04:15 29-10-2013", "next_setting": "18:00:31 29-10-2013"}


class Curl:
    """curl as people type it: the header in lower case, no content type unless it adds one itself."""

    def __init__(self, home: Rest) -> None:
        self._program = program("curl")
        self._home = home

    def __call__(self, method: str, path: str, *options: str, password: str | None = None) -> tuple[int, str]:
        """Status and text of the answer."""
        header = self._header(self._home.password if password is None else password)
        given = ["-X", method, *header, *options, f"{self._home.url}{path}"]
        done = subprocess.run(
            [str(self._program), "--disable", "--silent", "--show-error", "--write-out", "\n%{http_code}", *given],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        text, _, status = done.stdout.rpartition("\n")
        return int(status), text

    @contextmanager
    def following(self, path: str) -> Iterator[IO[str]]:
        """What it prints of an answer that does not end, as it comes."""
        given = ["--silent", "--no-buffer", *self._header(self._home.password), f"{self._home.url}{path}"]
        with subprocess.Popen([str(self._program), "--disable", *given], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                yield process.stdout
            finally:
                process.kill()

    def _header(self, password: str) -> list[str]:
        return ["-H", f"x-ha-access: {password}"]

    def json(self, method: str, path: str, *options: str) -> Any:
        status, text = self(method, path, *options)
        assert status in {200, 201}, text
        return json.loads(text)


@pytest.fixture
def curl(home: Rest) -> Curl:
    return Curl(home)


def test_curl_asks_whether_the_api_runs_without_the_slash_and_with_it(curl: Curl) -> None:
    assert curl.json("GET", "/api") == curl.json("GET", "/api/") == {"message": "API running."}


def test_curl_with_a_wrong_password_is_unauthorized(curl: Curl) -> None:
    status, text = curl("GET", "/api/", password="wrong")
    assert (status, json.loads(text)) == (401, {"message": "API password missing or incorrect."})


def test_of_two_passwords_the_first_counts(curl: Curl, home: Rest) -> None:
    assert curl("GET", "/api/", "-H", "X-HA-Access: wrong")[0] == 200
    assert curl("GET", "/api/", "-H", f"X-HA-Access: {home.password}", password="wrong")[0] == 401


def test_curl_reads_events_services_and_states(curl: Curl, home: Rest) -> None:
    assert all(set(each) == {"event", "listener_count"} for each in curl.json("GET", "/api/events"))
    assert all(set(each) == {"domain", "services"} for each in curl.json("GET", "/api/services"))
    assert {state["entity_id"] for state in curl.json("GET", "/api/states")} == set(home.states())
    sun = curl.json("GET", "/api/states/sun.sun")
    assert {"next_rising", "next_setting"} <= set(sun["attributes"])
    assert sun["state"] in {"above_horizon", "below_horizon"}
    assert curl("GET", "/api/states/clients.nobody")[0] == 404


@pytest.mark.parametrize("how", [("--data",), ("--data-binary",), ("-H", "Content-Type: application/json", "--data")])
def test_curl_posts_a_state_new_and_again(curl: Curl, how: tuple[str, ...]) -> None:
    entity = f"weather.sun_{len(how)}{len(how[0])}"
    body = json.dumps({"state": "below_horizon", "attributes": SUN})
    status, text = curl("POST", f"/api/states/{entity}", "--include", *how, body)
    head, _, answer = text.partition("\n\n")
    assert status == 201
    assert f"location: /api/states/{entity}" in head.lower()
    assert json.loads(answer)["attributes"] == SUN
    assert curl("POST", f"/api/states/{entity}", *how, body)[0] == 200


def test_curl_posts_a_state_in_pieces_of_unknown_length(curl: Curl, home: Rest) -> None:
    body = json.dumps({"state": "in pieces"})
    assert curl("POST", "/api/states/weather.pieces", "-H", "Transfer-Encoding: chunked", "--data", body)[0] == 201
    assert home.value("weather.pieces") == "in pieces"


def test_curl_fires_an_event_and_calls_a_service(curl: Curl, home: Rest) -> None:
    with Listening(home) as stream:
        data = {"next_rising": "18:00:31 29-10-2013"}
        fired = curl.json("POST", "/api/events/download_file", "--data", json.dumps(data))
        assert fired == {"message": "Event download_file fired."}
        assert stream.hears("download_file") == data
    home.call("light", "turn_off")
    changed = curl.json("POST", "/api/services/light/turn_on", "--data", '{"entity_id": "light.Ceiling_Lights"}')
    assert [(state["entity_id"], state["state"]) for state in changed] == [("light.ceiling_lights", "on")]
    assert curl.json("POST", "/api/services/light/turn_off")[0]["state"] == "off"


@pytest.mark.parametrize("cancel", [("DELETE", {}), ("POST", {"_METHOD": "DELETE"})], ids=["DELETE", "_METHOD"])
def test_curl_sets_up_event_forwarding_and_cancels_it(
    curl: Curl, home: Rest, cancel: tuple[str, dict[str, str]]
) -> None:
    method, addition = cancel
    with Target() as target:
        there = {"host": target.host, "api_password": "targetpw", "port": target.port}
        answer = curl.json("POST", "/api/event_forwarding", "--data", json.dumps(there))
        assert answer == {"message": "Event forwarding setup."}
        home.fire("document_forwarded", {"n": 1})
        wait_until(lambda: target.events("document_forwarded"), 60, "the event at the target")
        answer = curl.json(method, "/api/event_forwarding", "--data", json.dumps({**there, **addition}))
        assert answer == {"message": "Event forwarding cancelled."}
        home.fire("document_forwarded", {"n": 2})
        stays(lambda: len(target.events("document_forwarded")) == 1, 0.3, "nothing more comes")


def test_curl_that_speaks_http_1_0_is_answered(curl: Curl) -> None:
    assert curl.json("GET", "/api/", "--http1.0") == {"message": "API running."}
    assert curl("POST", "/api/states/weather.old", "--http1.0", "--data", '{"state": "on"}')[0] in {200, 201}


def test_curl_follows_the_stream(curl: Curl, home: Rest) -> None:
    with curl.following("/api/stream") as told:
        assert [told.readline(), told.readline()] == ["data: ping\n", "\n"]
        home.fire("curl_follows", {"n": 1})
        assert told.readline().startswith('data: {"event_type":"curl_follows","data":{"n":1}')


def test_answers_and_stream_are_ascii_for_clients_that_guess_the_encoding(curl: Curl, home: Rest) -> None:
    odd = "Größe 21 °C ☕ 😀\u2028"
    with (
        Listening(home) as stream,
        requests.get(
            f"{home.url}/api/stream", headers={"x-ha-access": home.password}, stream=True, timeout=60
        ) as by_requests,
    ):
        lines = by_requests.iter_lines(chunk_size=1, decode_unicode=True)
        assert by_requests.encoding == "ISO-8859-1"
        home.set_state("weather.odd", odd, {odd: [odd]})
        stream.hears("state_changed")
        line = next(line for line in lines if line.startswith("data: {"))
    assert json.loads(line.removeprefix("data: "))["data"]["new_state"]["attributes"] == {odd: [odd]}
    for path in ("/api/states", "/api/states/weather.odd", "/api/bootstrap", f"/api/services/{odd}"):
        assert curl("GET", path.replace(" ", ""))[1].isascii()
    assert curl.json("GET", "/api/states/weather.odd")["state"] == odd


def test_requests_as_the_document_prints_it(home: Rest) -> None:
    headers = {"x-ha-access": home.password, "content-type": "application/json"}
    response = requests.get(f"{home.url}/api/", headers=headers, timeout=60)
    assert (response.status_code, response.json()) == (200, {"message": "API running."})
    assert requests.get(f"{home.url}/api", headers=headers, timeout=60).json() == response.json()


def test_requests_logs_in_with_the_password_in_the_url(home: Rest) -> None:
    session = requests.Session()
    by_url = session.get(f"{home.url}/api/states", params={"api_password": home.password}, timeout=60)
    assert by_url.status_code == 200
    assert session.get(f"{home.url}/api/states", timeout=60).json() == by_url.json()
    assert requests.get(f"{home.url}/api/states", timeout=60).status_code == 401
    session.close()


def test_requests_sends_json_text_or_a_json_object(home: Rest) -> None:
    headers = {"X-HA-Access": home.password}
    url = f"{home.url}/api/states/weather.requests"
    as_text = requests.post(url, data=json.dumps({"state": "Größe"}), headers=headers, timeout=60)
    as_object = requests.post(url, json={"state": "Größe", "attributes": SUN}, headers=headers, timeout=60)
    assert (as_text.status_code, as_object.status_code) == (201, 200)
    where = home.url + as_text.headers["Location"]
    assert requests.get(where, headers=headers, timeout=60).json() == as_object.json()
    assert home.value("weather.requests") == "Größe"


@pytest.mark.parametrize(
    ("method", "path", "data", "status"),
    [
        ("POST", "/api/states/weather.bad", "{}", 400),
        ("GET", "/api/states", None, 401),
        ("GET", "/api/states/weather.nobody", None, 404),
        ("DELETE", "/api/states/sun.sun", None, 405),
    ],
)
def test_the_other_statuses_of_the_document(home: Rest, method: str, path: str, data: str | None, status: int) -> None:
    headers = {} if status == 401 else {"x-ha-access": home.password}
    response = requests.request(method, home.url + path, data=data, headers=headers, timeout=60)
    assert response.status_code == status
    assert set(response.json()) == {"message"}
