"""Requests and connections of the client, against a fake hub and the real one."""

import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hallway import remote
from hallway.remote import API, APIStatus, Event, State
from tests.peers.ports import free_port
from tests.remote.fake_hub import BED, LIGHTS, FakeHub, Hub, api_of, wait_until

# Made for these tests only: for 127.0.0.1, signed by itself, valid for a hundred years from 2014 on.
CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgol+em/KQBAPzD10H
023ykgSPa1Jf+F3qd9ERu9lB7w2hRANCAATlp4myX7JZYJ13QQ9tBOQ0UKvn/b16
y6iF1yuIIqr9hzDX2wSoZ34+3LRExBDzyRuEYLHstk4UdYh4IdYyNML+
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBgTCCASegAwIBAgIBATAKBggqhkjOPQQDAjAOMQwwCgYDVQQDDANodWIwIBcN
MTQwMTAxMDAwMDAwWhgPMjExNDAxMDEwMDAwMDBaMA4xDDAKBgNVBAMMA2h1YjBZ
MBMGByqGSM49AgEGCCqGSM49AwEHA0IABOWnibJfsllgnXdBD20E5DRQq+f9vXrL
qIXXK4giqv2HMNfbBKhnfj7ctETEEPPJG4Rgsey2ThR1iHgh1jI0wv6jdDByMB0G
A1UdDgQWBBTVTILrqbLZpjKphbnuv5KYS3HSFjAfBgNVHSMEGDAWgBTVTILrqbLZ
pjKphbnuv5KYS3HSFjAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIChDAP
BgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0gAMEUCIDJ8cDXjMZGHL40dGJ/6
BnrDSFieBD94Nri6pIcme4PwAiEA3Z+pF6Z8y9x0k+mzXA8dGKT2fOg9bAfRQ5DG
3GrHQhA=
-----END CERTIFICATE-----
"""


def test_validate_api_tells_a_hub_from_a_wrong_password_and_from_nobody(home: Hub) -> None:
    assert remote.validate_api(api_of(home)) is APIStatus.OK
    assert remote.validate_api(API(home.host, "wrong", home.port)) is APIStatus.INVALID_PASSWORD
    assert remote.validate_api(API(home.host, home.password, free_port())) is APIStatus.CANNOT_CONNECT


def test_an_api_remembers_its_status_until_it_is_forced_to_ask(fake: FakeHub) -> None:
    api = api_of(fake)
    assert api.validate_api()
    fake.odd["/api/"] = (500, b"")
    assert api.validate_api()
    assert not api.validate_api(force_validate=True)
    assert api.status is APIStatus.UNKNOWN
    assert str(api.status) == "unknown"


def test_states_are_read(api: API) -> None:
    states = remote.get_states(api)
    assert {state.entity_id for state in states} >= LIGHTS
    light = remote.get_state(api, BED)
    assert light is not None
    assert (light.entity_id, light.domain, light.object_id) == (BED, "light", "bed_light")
    assert light.state in {"on", "off"}
    assert remote.is_state(api, BED, light.state)


def test_a_state_that_does_not_exist_is_none_and_no_failure(api: API, caplog: pytest.LogCaptureFixture) -> None:
    assert remote.get_state(api, "light.nowhere") is None
    assert not remote.is_state(api, "light.nowhere", "on")
    assert caplog.records == []


def test_a_state_is_made_and_changed(api: API) -> None:
    assert remote.set_state(api, "test.thing", "one", {"a": [1, None, "ü"], "b": 2})
    before = datetime.now(UTC).replace(microsecond=0)
    assert remote.set_state(api, "test.thing", 2, {"c": {"d": 0.5}})
    state = remote.get_state(api, "test.thing")
    assert state == State("test.thing", "2", {"c": {"d": 0.5}})
    assert before <= state.last_changed <= datetime.now(UTC)


def test_a_state_that_the_hub_refuses_is_false(api: API) -> None:
    assert not remote.set_state(api, "no entity id", "1")


def test_a_service_call_answers_what_changed(api: API) -> None:
    for service, state in (("turn_on", "on"), ("turn_off", "off")):
        changed = remote.call_service(api, "light", service, {"entity_id": BED})
        assert (BED, state) in {(changed_state.entity_id, changed_state.state) for changed_state in changed}
        assert remote.is_state(api, BED, state)


def test_services_and_listeners_come_as_the_hub_lists_them(api: API) -> None:
    services = {item["domain"]: item["services"] for item in remote.get_services(api)}
    assert {"turn_on", "turn_off"} <= set(services["light"])
    with remote.stream(api):
        listeners = {item["event"]: item["listener_count"] for item in remote.get_event_listeners(api)}
        assert listeners["*"] >= 1


def test_an_answer_is_handed_over_as_it_is(api: API) -> None:
    response = api("get", "/api/states/light.nowhere")
    assert response.status_code == 404
    assert isinstance(response.json(), dict) or response.text == ""
    assert api("GET", "/api/").json() == {"message": "API running."}


def test_data_of_a_get_goes_into_the_query(fake: FakeHub) -> None:
    api_of(fake)("get", "/api/", {"a": "1 & 2", "b": ["x", "y"]})
    assert fake.requests[-1][:2] == ("GET", "/api/?a=1+%26+2&b=x&b=y")


def test_states_events_sets_and_generators_can_be_sent(fake: FakeHub) -> None:
    api = api_of(fake)
    with remote.stream(api, "told") as events:
        state, event = State("a.b", "c"), Event("d")
        assert remote.fire_event(api, "told", {"state": state, "event": event, "set": {1}, "list": (n for n in (1, 2))})
        assert next(events).data == {"state": state.as_dict(), "event": event.as_dict(), "set": [1], "list": [1, 2]}


def test_names_are_escaped_in_the_path(fake: FakeHub) -> None:
    remote.get_state(api_of(fake), "light.kü/che?x")
    assert fake.requests[-1][1] == "/api/states/light.k%C3%BC%2Fche%3Fx"


Call = Callable[[API], object]
FAILURES: list[tuple[Call, object]] = [
    (remote.get_states, []),
    (remote.get_services, {}),
    (remote.get_event_listeners, {}),
    (lambda api: remote.get_state(api, BED), None),
    (lambda api: remote.is_state(api, BED, "on"), False),
    (lambda api: remote.set_state(api, BED, "on"), False),
    (lambda api: remote.fire_event(api, "x"), False),
    (lambda api: remote.call_service(api, "light", "turn_on"), []),
    (lambda api: remote.connect_remote_events(api, API("127.0.0.1", "x", 1)), False),
    (lambda api: remote.disconnect_remote_events(api, API("127.0.0.1", "x", 1)), False),
]


@pytest.mark.parametrize(("call", "empty"), FAILURES)
def test_a_failure_is_logged_and_the_result_empty(
    fake: FakeHub, call: Call, empty: object, caplog: pytest.LogCaptureFixture
) -> None:
    for api, why in (
        (API(fake.host, "wrong", fake.port), '401 - {"message": "no"}'),
        (API(fake.host, None, free_port()), "cannot talk"),
    ):
        caplog.clear()
        assert call(api) == empty
        assert [record.levelno for record in caplog.records] == [logging.ERROR]
        assert why in caplog.text


@pytest.mark.parametrize(("call", "empty"), [FAILURES[n] for n in (0, 1, 2, 3, 7)])
@pytest.mark.parametrize("body", [b"no json", b"", b"\xff", b"[" * 100_000])
def test_an_answer_that_is_no_json_is_a_failure_too(fake: FakeHub, call: Call, empty: object, body: bytes) -> None:
    for path in ("states", "services", "events", f"states/{BED}", "services/light/turn_on"):
        fake.odd[f"/api/{path}"] = (200, body)
    assert call(api_of(fake)) == empty


def test_items_that_are_no_states_are_left_out(fake: FakeHub) -> None:
    good = {"entity_id": "a.b", "state": "c"}
    fake.odd["/api/states"] = (200, json.dumps([None, 5, {}, {"entity_id": "a", "state": ""}, good]).encode())
    assert remote.get_states(api_of(fake)) == [State("a.b", "c")]


def test_a_hub_that_does_not_answer_is_given_up_after_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        api = API("127.0.0.1", "x", silent.getsockname()[1], timeout=0.2)
        began = time.monotonic()
        with pytest.raises(remote.HomeAssistantError, match=r"did not answer within 0\.2 s"):
            api("get", "/api/")
        assert time.monotonic() - began < 4  # and not after the five seconds of others
        assert API("127.0.0.1").timeout == 5


# Connections


def test_a_connection_is_kept_for_each_thread(fake: FakeHub) -> None:
    api = api_of(fake)

    def ask_thrice() -> None:
        for _ in range(3):
            api("get", "/api/")

    ask_thrice()
    thread = threading.Thread(target=ask_thrice)
    thread.start()
    thread.join()
    ports = [port for _, _, port in fake.requests]
    assert (len(set(ports[:3])), len(set(ports[3:])), len(set(ports))) == (1, 1, 2)


def test_a_connection_that_the_hub_has_closed_is_made_anew_and_nothing_is_sent_twice(fake: FakeHub) -> None:
    api = api_of(fake)
    assert remote.fire_event(api, "one")
    fake.hang_up()
    assert remote.fire_event(api, "two")
    fake.restart()
    assert remote.fire_event(api, "three")
    assert [path for _, path, _ in fake.requests] == ["/api/events/three"]


def test_a_request_whose_connection_breaks_is_not_repeated() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        accepted = []

        def hang_up() -> None:
            connection, _ = server.accept()
            accepted.append(connection.recv(1000))
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(remote.HomeAssistantError, match="cannot talk to"):
            API("127.0.0.1", "x", server.getsockname()[1])("post", "/api/events/x")
        thread.join()
        server.settimeout(0.05)
        with pytest.raises(TimeoutError):
            server.accept()
    assert len(accepted) == 1


def test_many_threads_may_share_an_api(fake: FakeHub) -> None:
    api, results = api_of(fake), []
    threads = [
        threading.Thread(target=lambda n=n: results.append(remote.set_state(api, f"test.t{n}", n))) for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 20
    assert {state.entity_id for state in remote.get_states(api)} >= {f"test.t{n}" for n in range(20)}


def test_a_hub_behind_tls_is_reached_when_its_certificate_is_trusted(tmp_path: Path) -> None:
    certificate = tmp_path / "hub.pem"
    certificate.write_text(CERTIFICATE)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificate)
    hub = FakeHub(tls=server_side)
    try:
        trusting = ssl.create_default_context(cafile=str(certificate))
        api = API(hub.host, hub.password, hub.port, use_ssl=True, ssl_context=trusting)
        with remote.mirror(api) as states:
            assert states.set(BED, "on")
            wait_until(lambda: states.is_state(BED, "on"), "the change comes over the stream")
        assert len({port for _, path, port in hub.requests if path != "/api/stream"}) == 1
        assert remote.validate_api(API(hub.host, hub.password, hub.port, use_ssl=True)) is APIStatus.CANNOT_CONNECT
    finally:
        hub.kill()


@pytest.mark.parametrize("host", ["http://hub", "hub/api", "", "a b"])
def test_a_host_is_a_name_or_an_address(host: str) -> None:
    with pytest.raises(remote.HomeAssistantError, match="is no host"):
        API(host)


def test_a_password_is_never_shown() -> None:
    api = API("127.0.0.1", "hidden", 1)
    with pytest.raises(remote.HomeAssistantError) as refused:
        API("127.0.0.1", "hidden\n")
    assert "hidden" not in f"{api!r} {refused.value}"
    assert (api.host, api.port, api.api_password, api.base_url) == ("127.0.0.1", 1, "hidden", "http://127.0.0.1:1")
    assert API("::1").base_url == "http://[::1]:8123"
