"""What the benchmarks promise: they measure what they say, stop at the first wrong answer, and judge nothing.

Every run here is as short as it can be and no time is compared with anything: whether a number is good is told by
`make bench` on a quiet machine. Servers are real processes on free ports.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmarks import get_state, post_state, start, stream
from benchmarks.audience import Audience
from benchmarks.errors import BenchmarkError
from benchmarks.homes import PASSWORD
from benchmarks.load import Pool, content_length, run_loop
from benchmarks.measure import Cores, Plan, Sample, choose_cores, cpu_seconds, on_core, summarise
from benchmarks.servers import HOST, Server, free_port, parse_peer, run_hub, run_process, run_raw
from benchmarks.stream_client import stream_clients
from benchmarks.table import COMPARISON, Target, number, percent, render
from benchmarks.writes import StateWrites

ROOT = Path(__file__).resolve().parent.parent
TINY = Plan(seconds=0.05, repeats=1, connections=2)
STATE = b'{"state": "on", "attributes": {}}'


@pytest.fixture(scope="module")
def raw() -> Iterator[Server]:
    with run_raw(None) as server:
        yield server


def command_line(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "benchmarks", "--seconds", "0.05", "--repeats", "1", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)


def servers_of(rows: tuple[tuple[str, ...], ...]) -> list[tuple[str, str]]:
    return [(work, server) for work, server, *_ in rows]


# The command line


def test_the_command_prints_a_row_for_each_benchmark_that_is_named_and_exits_0() -> None:
    run = command_line("get-state", "post-state", "--no-hub", "--connections", "2")
    assert run.returncode == 0, run.stderr
    rows = [line.split() for line in run.stdout.splitlines()]
    assert [row[3] for row in rows if row[:1] in (["get-state"], ["post-state"])] == ["raw", "raw"]
    assert "stream" not in run.stdout


def test_the_tables_can_be_markdown() -> None:
    run = command_line("get-state", "--no-hub", "--connections", "2", "--markdown")
    assert run.returncode == 0, run.stderr
    assert "| work " in run.stdout


def test_an_unknown_benchmark_is_refused_with_the_names_there_are() -> None:
    run = command_line("get-sate")
    assert run.returncode == 2
    assert (
        "'get-sate'; there are get-state, post-state, stream, variable, variable-patch, devices, socket, rules, "
        "history, start" in run.stderr
    )


@pytest.mark.parametrize("option", ["--seconds", "--repeats", "--connections"])
def test_a_count_of_zero_is_refused(option: str) -> None:
    run = command_line("get-state", option, "0")
    assert run.returncode == 2
    assert "above 0" in run.stderr


def test_a_peer_that_refuses_the_password_stops_the_run_with_exit_code_1(raw: Server) -> None:
    run = command_line("get-state", "--no-hub", "--peer", f"other=http://{HOST}:{raw.port}:wrong")
    assert run.returncode == 1
    assert "stopped: other: POST /api/states/sensor.bench_state answered 401" in run.stderr
    assert run.stdout == ""


def test_a_server_that_does_not_start_is_told_with_its_own_last_words() -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such home')"]
    with pytest.raises(BenchmarkError, match="code 1 before its first answer") as stopped:
        run_process("hub", command, free_port(), None).__enter__()
    assert stopped.value.__notes__ == ["hub said:\nno such home"]


# Peers


def test_a_peer_is_name_url_and_password(raw: Server) -> None:
    peer = parse_peer(f"old=http://127.0.0.1:{raw.port}:pass:word")
    assert (peer.name, peer.host, peer.port) == ("old", "127.0.0.1", raw.port)
    assert peer.credential == ("X-HA-Access", "pass:word")


def test_the_process_of_a_peer_on_this_machine_is_found_by_its_port(raw: Server) -> None:
    assert parse_peer(f"old=http://127.0.0.1:{raw.port}:x").pid == raw.pid


def test_a_bearer_token_of_a_peer_goes_into_its_own_header() -> None:
    assert parse_peer("new=http://192.0.2.1:8123:Bearer abc").credential == ("Authorization", "Bearer abc")


@pytest.mark.parametrize("text", ["", "old", "old=127.0.0.1", "old=http://127.0.0.1:secret", "=http://h:1:x", "a=h:1:"])
def test_another_form_of_peer_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"old=http://127\.0\.0\.1:8124:secret"):
        parse_peer(text)


@pytest.mark.parametrize("name", ["hub", "raw", "node", "pimatic"])
def test_a_peer_cannot_take_the_name_of_a_row_that_is_there(name: str) -> None:
    with pytest.raises(ValueError, match="the table has one already"):
        parse_peer(f"{name}=http://127.0.0.1:8124:secret")


# The raw app


def test_the_raw_app_answers_nothing_without_the_password(raw: Server) -> None:
    stranger = Server("stranger", raw.host, raw.port, ("X-HA-Access", "wrong"), None)
    assert stranger.call("GET", "/api/")[0] == 401


def test_the_raw_app_sends_the_bytes_it_was_given(raw: Server) -> None:
    answer = b'{\n  "anything": "\xc3\xa4"\n}'
    raw.expect("PUT", "/api/states/test.bytes", answer)
    assert raw.expect("GET", "/api/states/test.bytes") == answer


def test_the_raw_app_answers_a_write_with_its_state(raw: Server) -> None:
    status, created = raw.call("POST", "/api/states/test.write", STATE)
    assert status == 201
    assert b'"entity_id":"test.write"' in created
    assert b'"state":"on"' in created
    assert raw.call("POST", "/api/states/test.write", STATE)[0] == 200


# The load client


def test_every_connection_is_kept_busy_until_it_is_stopped(raw: Server) -> None:
    asked: list[int] = []

    def work(connection: int) -> tuple[bytes, bytes]:
        asked.append(connection)
        return raw.request("GET", "/api/"), b"API running."

    async def load() -> int:
        async with Pool.open(raw, 3) as pool:
            pool.start(work)
            while pool.answered < 4:
                await pool.run_for(0.05)
            await pool.stop()
            return pool.answered

    assert run_loop(load()) == len(asked)
    assert set(asked) == {0, 1, 2}
    assert len(asked) > 3


@pytest.mark.parametrize(
    ("path", "expected", "reason"),
    [("/api/states/no.such", b"", "answered 404"), ("/api/", b"something else", "without b'something else'")],
)
def test_a_wrong_answer_ends_the_load(raw: Server, path: str, expected: bytes, reason: str) -> None:
    async def load() -> None:
        async with Pool.open(raw, 2) as pool:
            pool.start(lambda _: (raw.request("GET", path), expected))
            await pool.run_for(120)

    with pytest.raises(BenchmarkError, match=f"raw: .*{reason}"):
        run_loop(load())


@pytest.mark.parametrize("at", ["first", "middle", "last"])
def test_a_long_answer_is_taken_from_its_pieces_wherever_the_expected_text_stands(raw: Server, at: str) -> None:
    filling = b"x" * 500_000
    raw.expect("PUT", "/api/long", b" first " + filling + b" middle " + filling + b" last ")

    async def load(expected: bytes) -> int:
        async with Pool.open(raw, 2) as pool:
            for _ in range(2):
                await pool.once(lambda _: (raw.request("GET", "/api/long"), expected))
            return pool.answered

    assert run_loop(load(at.encode())) == 4
    with pytest.raises(BenchmarkError, match="answered 200 without b'nowhere'"):
        run_loop(load(b"nowhere"))


class OldServer(BaseHTTPRequestHandler):
    """Answers like a server of 2014: HTTP/1.0, no Content-Length, one answer for each connection."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"whole" if self.path == "/whole" else b"part")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        pass


@contextmanager
def old_server() -> Iterator[Server]:
    with ThreadingHTTPServer((HOST, 0), OldServer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Server("old", HOST, server.server_port, ("X-HA-Access", PASSWORD), None)
        finally:
            server.shutdown()
            thread.join()


def test_a_server_that_closes_after_each_answer_is_connected_again() -> None:
    async def load(server: Server) -> int:
        async with Pool.open(server, 2) as pool:
            for _ in range(3):
                await pool.once(lambda _: (server.request("GET", "/whole"), b"whole"))
            return pool.answered

    with old_server() as server:
        assert run_loop(load(server)) == 6


def test_a_server_that_goes_away_ends_the_load() -> None:
    async def load() -> None:
        with ExitStack() as stack:
            server = stack.enter_context(run_raw(None))
            async with Pool.open(server, 2) as pool:
                pool.start(lambda _: (server.request("GET", "/api/"), b"running"))
                stack.close()
                await pool.run_for(120)

    with pytest.raises(BenchmarkError, match="raw: "):
        run_loop(load())


@pytest.mark.parametrize(
    ("head", "length"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\nx: y", 12),
        (b"HTTP/1.1 200 OK\r\nContent-Length:7", 7),
        (b"HTTP/1.1 200 OK\r\nCONTENT-LENGTH: 0", 0),
        (b"HTTP/1.0 200 OK\r\nserver: x", None),
    ],
)
def test_the_length_of_an_answer_is_read_in_any_spelling(head: bytes, length: int | None) -> None:
    assert content_length(head) == length


def test_every_write_has_another_state_and_the_size_that_was_asked_for(raw: Server) -> None:
    writes = StateWrites(raw, ["sensor.a", "sensor.long_name"], 150)
    requests = [writes(connection) for connection in (0, 1, 0, 1)]
    assert {len(request.partition(b"\r\n\r\n")[2]) for request, _ in requests} == {150}
    assert len({expected for _, expected in requests}) == 4
    assert all(expected in request for request, expected in requests)


# The stream's audience


def hear(raw: Server, noted: int, written: int) -> tuple[int, int]:
    """Events that arrived at three clients and times that were taken, after `check` has agreed."""

    async def listen() -> tuple[int, int]:
        writes = StateWrites(raw, ["sensor.heard"])
        writes.create()
        async with Audience.open(raw, 3, stream_clients("sensor.heard")) as audience, Pool.open(raw, 1) as pool:
            for number_of_write in range(written):
                if number_of_write < noted:
                    audience.note_write()
                await pool.once(writes)
            await audience.wait_for(written)
            for _ in range(noted - written):
                audience.note_write()
            audience.check()
            return audience.arrived, len(audience.latencies)

    return run_loop(listen())


def test_each_client_takes_the_time_of_each_event(raw: Server) -> None:
    assert hear(raw, noted=2, written=2) == (6, 6)


@pytest.mark.parametrize(("noted", "written"), [(3, 2), (1, 2)])
def test_an_event_too_few_or_too_many_ends_the_run(raw: Server, noted: int, written: int) -> None:
    with pytest.raises(BenchmarkError, match=rf"{noted} events were due, some clients got \{{{written}\}}"):
        hear(raw, noted=noted, written=written)


def test_events_of_other_entities_do_not_count(raw: Server) -> None:
    async def listen() -> int:
        async with Audience.open(raw, 1, stream_clients("sensor.mine")) as audience, Pool.open(raw, 1) as pool:
            for entity in ("sensor.other", "sensor.mine"):
                writes = StateWrites(raw, [entity])
                raw.expect("POST", f"/api/states/{entity}", STATE)
                await pool.once(writes)
            await audience.wait_for(2)
            return audience.arrived

    assert run_loop(listen()) == 2


def test_a_stream_that_is_refused_ends_the_run(raw: Server) -> None:
    stranger = Server("stranger", raw.host, raw.port, ("X-HA-Access", "wrong"), None)

    async def listen() -> None:
        async with Audience.open(stranger, 1, stream_clients("sensor.mine")):
            pass

    with pytest.raises(BenchmarkError, match=r"stranger: GET /api/stream answered b\'HTTP/1\.1 401"):
        run_loop(listen())


# The benchmarks, the raw app alone and the hub beside it


def test_the_stream_is_measured_paced_and_flat_out_for_each_number_of_clients(raw: Server) -> None:
    report = stream.run([raw], TINY, clients=(1, 3))
    assert report.headings == COMPARISON
    assert [work for work, *_ in report.rows] == [
        "stream 1 paced",
        "stream 1 flat out",
        "stream 3 paced",
        "stream 3 flat out",
    ]
    assert report.targets == ()


def test_the_hub_is_measured_beside_the_raw_app() -> None:
    with run_hub(None) as hub, run_raw(None) as raw:
        reading = get_state.run([hub, raw], TINY)
        writing = post_state.run([hub, raw], TINY)
        telling = stream.run([hub, raw], TINY, clients=(2,))
        assert hub.expect("GET", get_state.PATH) == raw.expect("GET", get_state.PATH)
    assert [server for _, server in servers_of(reading.rows)] == ["hub", "raw"]
    assert [target.unit for target in (*reading.targets, *writing.targets)] == ["%", "%"]
    assert servers_of(telling.rows) == [
        ("stream 2 paced", "hub"),
        ("stream 2 paced", "raw"),
        ("stream 2 flat out", "hub"),
        ("stream 2 flat out", "raw"),
    ]


def test_the_start_of_a_home_is_measured_empty_and_with_devices() -> None:
    report = start.run(None, with_hub=True, runs=1, devices=20)
    assert servers_of(report.rows) == [("no devices", "raw"), ("no devices", "hub"), ("20 devices", "hub")]


# Measuring and comparing


def test_cpu_time_is_that_of_the_process_with_all_its_threads() -> None:
    threads = [threading.Thread(target=sum, args=(range(100_000),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    before = time.process_time()
    measured = cpu_seconds(os.getpid())
    assert measured is not None
    assert before <= measured <= time.process_time()


def test_a_process_that_cannot_be_seen_has_no_cpu_time() -> None:
    assert cpu_seconds(None) is None


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not let a process choose its cores")
def test_a_process_started_on_a_core_stays_there_while_we_go_back() -> None:
    before = os.sched_getaffinity(0)
    core = min(before)
    with on_core(core):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert os.sched_getaffinity(child.pid) == {core}
        assert os.sched_getaffinity(0) == before
    finally:
        child.communicate(b"\n")


def test_the_ratio_is_the_median_of_ratios_turn_by_turn_not_the_ratio_of_medians() -> None:
    # The machine is slow in the second turn and slower in the third: each turn is judged by its neighbour.
    hub = [Sample(100, 1, 2.0), Sample(50, 1, 2.0), Sample(30, 1, 3.0)]
    raw = [Sample(200, 1, 2.0), Sample(100, 1, 2.0), Sample(30, 1, 1.5)]
    summaries = summarise({"hub": hub, "raw": raw}, "raw")
    assert summaries["hub"].rate == 50
    assert summaries["hub"].of_raw_cpu == 0.5
    assert summaries["hub"].of_raw_rate == 0.5
    assert (summaries["raw"].of_raw_cpu, summaries["raw"].of_raw_rate) == (1, 1)


def test_cpu_per_operation_is_in_microseconds() -> None:
    assert Sample(operations=1000, seconds=2, cpu=0.05).cpu_us == pytest.approx(50)


def test_without_cpu_time_the_rates_are_still_compared() -> None:
    summaries = summarise({"peer": [Sample(10, 1, None)], "raw": [Sample(20, 1, 0.1)]}, "raw")
    assert summaries["peer"].cpu_us is None
    assert summaries["peer"].of_raw_cpu is None
    assert summaries["peer"].of_raw_rate == 0.5


@pytest.mark.parametrize(
    ("measured", "at_least", "verdict"),
    [
        (80.0, True, "met"),
        (79.9, True, "missed"),
        (80.0, False, "met"),
        (80.1, False, "missed"),
        (None, True, "missed"),
    ],
)
def test_a_target_is_met_at_its_limit(measured: float | None, at_least: bool, verdict: str) -> None:
    assert Target("get-state", 80, measured, "%", at_least=at_least).cells()[-1] == verdict


@pytest.mark.parametrize(
    ("value", "text"), [(1.234, "1.23"), (45.67, "45.7"), (789.4, "789"), (12345.6, "12,346"), (None, "-")]
)
def test_numbers_show_the_digits_that_matter(value: float | None, text: str) -> None:
    assert number(value) == text


def test_shares_are_whole_per_cents() -> None:
    assert (percent(0.856), percent(None)) == ("86 %", "-")


def test_columns_are_aligned_text_left_and_numbers_right() -> None:
    assert render(("work", "server", "per s"), [("a", "hub", "1")], markdown=False) == (
        "work  server  per s\n----  ------  -----\na     hub         1\n"
    )
    assert render(("work", "server", "per s"), [("a", "hub", "1")], markdown=True) == (
        "| work | server | per s |\n| ---- | ------ | ----: |\n| a    | hub    |     1 |\n"
    )


def test_the_audience_gives_up_after_a_while(raw: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    async def listen() -> None:
        async with Audience.open(raw, 1, stream_clients("sensor.silent")) as audience:
            monkeypatch.setattr("benchmarks.audience.EVENT_TIMEOUT", 0.05)
            await audience.wait_for(1)

    with pytest.raises(BenchmarkError, match="waited 0 s for 1 events, 0 arrived"):
        run_loop(listen())


def test_servers_and_client_get_different_cores_where_there_are_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {3, 5, 7})
    assert choose_cores() == Cores(server=3, client=5)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {3})
    assert choose_cores() == Cores(server=None, client=None)
