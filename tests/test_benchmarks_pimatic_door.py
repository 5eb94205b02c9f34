"""What the benchmarks of the pimatic door promise: homes alike, clients that count right, honest comparisons.

Every run is as short as it can be, and no time is compared with anything. What others' servers say is played by a
small server of this file; pimatic itself takes part in `python -m benchmarks` only.
"""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from benchmarks import devices, peers, sockets, variable, variable_patch
from benchmarks.audience import Audience
from benchmarks.company import Company, gather
from benchmarks.errors import BenchmarkError
from benchmarks.frames import CLOSE, PING, PONG, TEXT, Frame, frame, split_frames
from benchmarks.homes import basic, dimmers, mixed, query, write_hub, write_pimatic
from benchmarks.load import run_loop
from benchmarks.measure import Plan, Sample
from benchmarks.peers import MissingPeer
from benchmarks.servers import Server, run_raw, with_session
from benchmarks.socket_client import ACCEPT, Dialect, Reader, find_sid, read, socket_clients
from benchmarks.sockets import DeviceWrites
from benchmarks.table import BESIDE_NODE, share, times
from benchmarks.variable_patch import VariableWrites

TINY = Plan(seconds=0.05, repeats=1, connections=2)
DEVICE = b'42["deviceAttributeChanged",{"deviceId":"bench_0","attributeName":"dimlevel","time":1,"value":10}]'
VARIABLE = b'42["variableValueChanged",{"variableName":"bench_0.dimlevel","variableValue":10}]'
GREETING = b'42["groups",[]]'


def told(payload: bytes, opcode: int = TEXT) -> bytes:
    """A frame as a server sends it."""
    size = len(payload)
    if size > 0xFFFF:
        return bytes([0x80 | opcode, 127]) + size.to_bytes(8, "big") + payload
    if size > 125:
        return bytes([0x80 | opcode, 126]) + size.to_bytes(2, "big") + payload
    return bytes([0x80 | opcode, size]) + payload


# Frames


@pytest.mark.parametrize("size", [0, 1, 125, 126, 0xFFFF, 0x10000])
def test_frames_of_every_length_are_split(size: int) -> None:
    payload = b"x" * size
    assert split_frames(told(payload) + told(b"next", PING)) == ([Frame(TEXT, payload), Frame(PING, b"next")], b"")


@pytest.mark.parametrize("size", [3, 200, 0x10000])
def test_a_frame_that_is_not_whole_waits_for_the_rest(size: int) -> None:
    whole = told(b"x" * size)
    for cut in (0, 1, 2, 3, len(whole) - 1):
        assert split_frames(told(b"a") + whole[:cut]) == ([Frame(TEXT, b"a")], whole[:cut])


@pytest.mark.parametrize("begin", [b"\x81\x81", b"\x01\x01", b"\xc1\x01"])
def test_masked_divided_and_packed_frames_are_refused(begin: bytes) -> None:
    with pytest.raises(BenchmarkError, match=begin.hex()):
        split_frames(begin + b"\0\0\0\0x")


@pytest.mark.parametrize(("size", "head"), [(2, b"\x81\x82"), (126, b"\x81\xfe\x00\x7e")])
def test_a_client_masks_with_zeros(size: int, head: bytes) -> None:
    assert frame(b"y" * size) == head + b"\0\0\0\0" + b"y" * size


# What a piece of data holds


def test_events_of_devices_and_of_variables_count() -> None:
    heard = read(told(DEVICE) + told(VARIABLE) + told(DEVICE) + told(VARIABLE)[:9])
    assert (heard.events, heard.device_events) == (3, 2)
    assert heard.rest == told(VARIABLE)[:9]


@pytest.mark.parametrize("event", [DEVICE, VARIABLE])
def test_events_of_others_do_not_count(event: bytes) -> None:
    assert read(told(event.replace(b"bench_", b"other_"))).events == 0


def test_texts_and_pings_are_left_to_the_client() -> None:
    heard = read(told(b"2") + told(b"are you there", PING) + told(b"", PONG) + told(GREETING))
    assert (heard.texts, heard.pings, heard.events) == ((b"2", GREETING), (b"are you there",), 0)


def test_a_websocket_that_is_closed_ends_the_run() -> None:
    with pytest.raises(BenchmarkError, match=r"closed the websocket.*going away"):
        read(told(b"\x03\xe9going away", CLOSE))


def test_the_same_data_is_read_once() -> None:
    reader = Reader()
    first = reader.read(told(DEVICE))
    assert reader.read(told(DEVICE)) is first
    assert reader.read(told(VARIABLE)).device_events == 0
    assert reader.read(told(DEVICE)) == first


@pytest.mark.parametrize(
    "opening",
    [b'97:0{"sid":"a-B_9","upgrades":["websocket"],"pingInterval":25000}2:40', b'\x00\x09\x07\xff0{"sid":"a-B_9"}'],
)
def test_the_session_is_found_in_a_first_poll(opening: bytes) -> None:
    assert find_sid(opening) == "a-B_9"


def test_a_first_poll_without_a_session_ends_the_run() -> None:
    with pytest.raises(BenchmarkError, match="Transport unknown"):
        find_sid(b'{"code":0,"message":"Transport unknown"}')


def test_a_dialect_makes_the_targets_of_its_handshakes() -> None:
    assert Dialect(4).path("websocket") == "/socket.io/?EIO=4&transport=websocket"
    assert Dialect(3, "username=a").path("polling", "x") == "/socket.io/?EIO=3&transport=polling&sid=x&username=a"


# A client and its server


class Played:
    """One connection of the played server: reads what a client says, says what a test wants."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def head(self) -> str:
        return (await self._reader.readuntil(b"\r\n\r\n")).decode()

    async def text(self) -> bytes:
        first, size = await self._reader.readexactly(2)
        assert first & 0x0F in {TEXT, PONG}
        assert size & 0x80
        return (await self._reader.readexactly(4 + (size & 0x7F)))[4:]

    def say(self, data: bytes) -> None:
        self._writer.write(data)

    def upgrade(self) -> None:
        self.say(b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " + ACCEPT + b"\r\n\r\n")

    async def greet(self) -> None:
        await self.head()
        self.upgrade()
        self.say(told(b'0{"sid":"x"}'))
        assert await self.text() == b"40"
        self.say(told(b'40{"sid":"y"}') + told(GREETING))


@asynccontextmanager
async def playing(play: Callable[[Played], Awaitable[None]]) -> AsyncIterator[Server]:
    """A server that plays the same to each client, and an error of the play becomes the test's."""
    plays: list[asyncio.Task[None]] = []

    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        plays.append(task)
        try:
            await play(Played(reader, writer))
            await reader.read()
        finally:
            writer.close()

    listening = await asyncio.start_server(begin, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield Server("played", "127.0.0.1", port, ("Authorization", basic()), None)
    finally:
        listening.close()
        await asyncio.gather(*plays)


def hear(play: Callable[[Played], Awaitable[None]], dialect: Dialect, writes: int) -> Audience:
    """Two clients of a play that hear so many writes of two events each; the audience after its check."""

    async def listen() -> Audience:
        async with playing(play) as server, Audience.open(server, 2, socket_clients(dialect)) as audience:
            audience.note_write(2 * writes)
            await audience.wait_for(2 * writes)
            audience.check()
            return audience

    return run_loop(listen())


def test_a_client_of_engine_io_4_connects_by_websocket_and_counts() -> None:
    async def play(client: Played) -> None:
        await client.greet()
        client.say(told(DEVICE) + told(VARIABLE))

    assert hear(play, Dialect(4), writes=1).arrived == 4


def test_a_head_and_frames_that_come_in_pieces_are_put_together() -> None:
    async def play(client: Played) -> None:
        await client.head()
        answer = b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " + ACCEPT + b"\r\n\r\n"
        for byte in answer + told(b'0{"sid":"x"}') + told(GREETING) + told(DEVICE) + told(VARIABLE):
            client.say(bytes([byte]))
            await asyncio.sleep(0)

    assert hear(play, Dialect(4), writes=1).arrived == 4


def test_a_client_of_engine_io_3_polls_first_and_then_upgrades() -> None:
    async def play(client: Played) -> None:
        head = await client.head()
        if "transport=polling" in head:
            body = b'15:0{"sid":"abc"}2:40'
            client.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            assert f"Authorization: {basic()}" in head
            return
        assert head.startswith("GET /socket.io/?EIO=3&transport=websocket&sid=abc&username=a HTTP/1.1")
        client.upgrade()
        assert await client.text() == b"2probe"
        client.say(told(b"3probe"))
        assert await client.text() == b"5"
        client.say(told(b"40") + told(GREETING) + told(DEVICE) + told(VARIABLE))

    assert hear(play, Dialect(3, "username=a", polling_first=True), writes=1).arrived == 4


def test_pings_of_both_kinds_are_answered() -> None:
    async def play(client: Played) -> None:
        await client.greet()
        client.say(told(b"2"))
        assert await client.text() == b"3"
        client.say(told(b"here?", PING))
        assert await client.text() == b"here?"
        client.say(told(DEVICE) + told(VARIABLE))

    assert hear(play, Dialect(4), writes=1).arrived == 4


def test_events_of_devices_only_end_the_run() -> None:
    async def play(client: Played) -> None:
        await client.greet()
        client.say(told(DEVICE) + told(DEVICE))

    with pytest.raises(BenchmarkError, match="2 of 2 events were of devices"):
        hear(play, Dialect(4), writes=1)


def test_a_refused_websocket_ends_the_run() -> None:
    async def play(client: Played) -> None:
        await client.head()
        client.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with pytest.raises(BenchmarkError, match=r"played: the websocket was answered with b'HTTP/1\.1 400"):
        hear(play, Dialect(4), writes=1)


@pytest.mark.parametrize("word", [b'44"Authentication error"', b"41", b"1"])
def test_a_refused_or_closed_socket_ends_the_run(word: bytes) -> None:
    async def play(client: Played) -> None:
        await client.head()
        client.upgrade()
        client.say(told(word))

    with pytest.raises(BenchmarkError, match="played: the socket was refused or closed"):
        hear(play, Dialect(4), writes=1)


# Writes


def test_a_device_is_dimmed_to_another_level_each_time() -> None:
    writes = DeviceWrites(Server("hub", "127.0.0.1", 1, ("Authorization", basic()), None), ["bench_0", "bench_1"])
    requests = [writes(connection)[0] for _ in range(100) for connection in (0, 1)]
    for connection in (0, 1):
        own = requests[connection::2]
        assert all(f"/api/device/bench_{connection}/changeDimlevelTo?dimlevel=".encode() in each for each in own)
        assert all(one != following for one, following in itertools.pairwise(own))


def test_node_is_told_the_device_and_its_level() -> None:
    request, _ = DeviceWrites(Server("node", "127.0.0.1", 1, ("x", "y"), None), ["bench_0"])(0)
    assert json.loads(request.partition(b"\r\n\r\n")[2]) == {"deviceId": "bench_0", "value": 10}


def test_a_variable_is_written_with_another_value_each_time_and_answered_with_it() -> None:
    with run_raw(None) as raw:
        writes = VariableWrites(raw, ["bench_0"])
        (first, expected), (second, _) = writes(0), writes(0)
        _, _, body = first.partition(b"\r\n\r\n")
        assert body == b'{"type": "value", "valueOrExpression": 10000000}'
        assert first != second
        assert expected in raw.expect("PATCH", "/api/variables/bench_0", body)


# Homes


def test_the_hub_and_pimatic_get_the_same_devices_and_user(tmp_path: Path) -> None:
    home = (*mixed(3), *dimmers(1))
    write_hub(tmp_path, 8123, home, pimatic_door=True)
    ours = yaml.safe_load((tmp_path / "configuration.yaml").read_text())
    theirs = json.loads(write_pimatic(tmp_path, 8124, home).read_text())
    assert [(each["id"], each["class"]) for each in theirs["devices"]] == [
        (each["id"], each["class"]) for each in ours["devices"]
    ]
    assert len(ours["devices"]) == 4
    assert ours["users"] == theirs["users"]
    assert query() == "username={username}&password={password}".format(**ours["users"][0])


def test_the_home_of_a_start_has_no_user_whose_password_takes_time(tmp_path: Path) -> None:
    write_hub(tmp_path, 8123, ())
    assert set(yaml.safe_load((tmp_path / "configuration.yaml").read_text())) == {"http"}


# Others' servers


def test_without_node_the_socket_is_measured_alone_and_the_reason_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gather(None, with_hub=False, with_node=True, with_pimatic=False) == Company(None, with_hub=False)
    assert "left out: needs node on PATH" in capsys.readouterr().err


def test_pimatic_that_cannot_be_installed_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HALLWAY_TEST_CACHE", str(tmp_path))
    with pytest.raises(MissingPeer, match="needs npm on PATH"):
        peers.pimatic()


def test_an_installation_that_fails_is_told_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho no network today >&2\nexit 1\n")
    npm.chmod(0o755)
    tmp_path.joinpath("node").symlink_to("/bin/true")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setenv("HALLWAY_TEST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("benchmarks.peers._runs", lambda *_: False)
    with pytest.raises(MissingPeer, match="failed:\nno network today"):
        peers.socket_io()


# The benchmarks


def test_each_benchmark_runs_with_the_raw_app_alone() -> None:
    alone = Company(None, with_hub=False)
    reports = [
        variable.run(alone, TINY),
        variable_patch.run(alone, TINY, homes=(1, 2)),
        devices.run(alone, TINY, devices=20),
    ]
    assert [(row[0].split()[0], row[1]) for report in reports for row in report.rows] == [
        ("variable", "raw"),
        ("variable-patch", "raw"),
        ("devices", "raw"),
    ]
    assert [report.targets for report in reports] == [(), (), ()]


def test_the_hub_is_measured_through_its_pimatic_door() -> None:
    with_hub = Company(None)
    reading = variable.run(with_hub, TINY)
    writing = variable_patch.run(with_hub, TINY, homes=(1, 2))
    much = devices.run(with_hub, TINY, devices=20)
    telling = sockets.run(with_hub, TINY, clients=(2,))
    assert [row[1] for row in reading.rows] == ["hub", "hub, cookie", "raw"]
    assert [row[1] for row in writing.rows] == ["hub 1", "hub 2", "raw"]
    assert [row[1] for row in much.rows] == ["hub", "raw"]
    assert [row[:2] for row in telling.rows] == [("socket 2 paced", "hub"), ("socket 2 flat out", "hub")]
    assert [target.unit for report in (reading, writing, much) for target in report.targets] == ["%"] * 4


def test_the_socket_is_measured_paced_and_flat_out_with_nodes_socket_io() -> None:
    company = gather(None, with_hub=False, with_node=True, with_pimatic=False)
    if company.node is None:
        pytest.skip("needs node and npm, or what npm installed before")
    report = sockets.run(company, TINY, clients=(1, 3))
    assert report.headings == BESIDE_NODE
    assert [row[:2] for row in report.rows] == [
        ("socket 1 paced", "node"),
        ("socket 1 flat out", "node"),
        ("socket 3 paced", "node"),
        ("socket 3 flat out", "node"),
    ]
    assert report.targets == ()


def test_a_server_without_sessions_cannot_be_asked_with_a_cookie() -> None:
    with run_raw(None) as raw, pytest.raises(BenchmarkError, match="opened no session"):
        with_session(replace(raw, credential=("Authorization", basic())), "/api/")


def test_how_many_times_as_good_is_the_median_turn_by_turn() -> None:
    samples = {
        "hub": [Sample(100, 1, 0.1), Sample(100, 1, 0.2), Sample(100, 1, 0.1)],
        "node": [Sample(50, 1, 0.1), Sample(50, 1, 0.2), Sample(50, 1, 0.4)],
    }
    by_cpu, by_rate = times("x", samples, ("hub", "node"), 2), times("x", samples, ("hub", "node"), 2.5, by_rate=True)
    assert by_cpu is not None
    assert by_rate is not None
    assert by_cpu.cells() == ("x, hub beside node by CPU", "≥ 2.00 times", "2.00 times", "met")
    assert by_rate.cells() == ("x, hub beside node by rate", "≥ 2.50 times", "2.00 times", "missed")


def test_who_does_not_take_part_is_not_compared() -> None:
    assert times("x", {"hub": []}, ("hub", "pimatic"), 2) is None
    assert share("x", {"hub 10": []}, ("hub 1000", "hub 10"), 90) is None


def test_a_share_is_told_in_per_cent() -> None:
    samples = {"hub 10": [Sample(100, 1, 0.09)], "hub 1000": [Sample(100, 1, 0.1)]}
    target = share("x", samples, ("hub 1000", "hub 10"), 90)
    assert target is not None
    assert target.cells() == ("x by CPU", "≥ 90.0 %", "90.0 %", "met")
