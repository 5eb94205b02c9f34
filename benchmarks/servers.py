"""The servers that are measured: the hub in a new home, the raw app, others in new homes, and peers that run already.

A server is started on its core with a free port, awaited until it answers, and ended with its folder removed.
It must not know what is measured.
"""

import contextlib
import http.client
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import psutil

from benchmarks import peers
from benchmarks.errors import BenchmarkError
from benchmarks.homes import PASSWORD, SIX_DEVICES, Device, basic, write_hub, write_pimatic
from benchmarks.measure import on_core

ROOT: Final = Path(__file__).resolve().parent.parent
HOST: Final = "127.0.0.1"
START_TIMEOUT: Final = 120.0
_PORTS: Final = range(10_000, 16_000)
"""Below those that outgoing connections get."""
STOP_TIMEOUT: Final = 10.0
POLL: Final = 0.002
NODE_SERVER: Final = ROOT / "benchmarks" / "socket_io_server.js"
HOME_ASSISTANT: Final = ("X-HA-Access", PASSWORD)
"""The header that opens the Home Assistant door."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server answers and which header opens it; `pid` is None when its process cannot be seen."""

    name: str
    host: str
    port: int
    credential: tuple[str, str]
    pid: int | None

    def request(self, method: str, path: str, body: bytes = b"") -> bytes:
        """The bytes of a keep-alive request with the credential."""
        name, value = self.credential
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n{name}: {value}\r\n"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return head.encode() + b"\r\n" + body

    def call(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """One request on a connection of its own: status and body. Raises OSError while nothing listens."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            headers = dict([self.credential, ("Content-Type", "application/json")])
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def expect(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """The body of a successful call. Raises BenchmarkError for any other status."""
        status, answer = self.call(method, path, body)
        if status not in {200, 201}:
            raise BenchmarkError(f"{self.name}: {method} {path} answered {status}: {answer[:200]!r}")
        return answer


def with_session(server: Server, path: str) -> Server:
    """The same server asked with the session cookie that it gives to whoever comes with Basic."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
    try:
        connection.request("GET", path, headers=dict([server.credential]))
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    pairs = [cookie.partition(";")[0] for cookie in answer.headers.get_all("Set-Cookie", [])]
    if not pairs:
        raise BenchmarkError(f"{server.name}: GET {path} with Basic opened no session ({answer.status})")
    return replace(server, name=f"{server.name}, cookie", credential=("Cookie", "; ".join(pairs)))


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now, nor gets for a connection meanwhile."""
    while True:
        port = random.SystemRandom().choice(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return port


@contextmanager
def run_hub(
    core: int | None, devices: tuple[Device, ...] = SIX_DEVICES, *, pimatic_door: bool = False
) -> Iterator[Server]:
    """A hub in a new home, ready to answer; with `pimatic_door` it is asked as pimatic is, with Basic."""
    port = free_port()
    credential = ("Authorization", basic()) if pimatic_door else HOME_ASSISTANT
    with tempfile.TemporaryDirectory(prefix="hallway-benchmark-") as folder:
        write_hub(Path(folder), port, devices, pimatic_door=pimatic_door)
        with run_process("hub", hub_command(Path(folder), port), port, core, credential) as server:
            yield server


@contextmanager
def run_raw(core: int | None) -> Iterator[Server]:
    """The raw app, ready to answer."""
    port = free_port()
    with run_process("raw", raw_command(port), port, core) as server:
        yield server


@contextmanager
def run_node(core: int | None, program: peers.Program) -> Iterator[Server]:
    """Node's socket.io server, ready to answer."""
    port = free_port()
    command = [str(program.node), str(NODE_SERVER), str(program.home / "node_modules"), str(port)]
    with run_process("node", command, port, core) as server:
        yield server


@contextmanager
def run_pimatic(core: int | None, program: peers.Program, devices: tuple[Device, ...]) -> Iterator[Server]:
    """pimatic in a new home, ready to answer; asked with Basic."""
    port = free_port()
    command = [str(program.node), str(program.home / "node_modules" / "pimatic" / "pimatic.js")]
    with tempfile.TemporaryDirectory(prefix="hallway-benchmark-") as folder:
        more = {"PIMATIC_CONFIG": str(write_pimatic(Path(folder), port, devices))}
        with run_process("pimatic", command, port, core, ("Authorization", basic()), more) as server:
            yield server


def hub_command(home: Path, port: int) -> list[str]:
    """How the hub of this checkout is started."""
    return [sys.executable, "-m", "hallway", "run", "--home", str(home), "--host", HOST, "--port", str(port)]


def raw_command(port: int) -> list[str]:
    """How the raw app is started."""
    command = [sys.executable, "-m", "benchmarks.raw_app", "--port", str(port), "--password", PASSWORD]
    return [*command, "--authorization", basic()]


@contextmanager
def run_process(
    name: str,
    command: Sequence[str],
    port: int,
    core: int | None,
    credential: tuple[str, str] = HOME_ASSISTANT,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Start a command on a core, wait for its first answer, and end it afterwards.

    Raises BenchmarkError when it does not answer `GET /api/` with 200; to this and to any BenchmarkError of the
    body the end of the server's output is added as a note.
    """
    path = os.pathsep.join(filter(None, (str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH"))))
    with tempfile.TemporaryFile() as output:
        with on_core(core):
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": path, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            server = Server(name, HOST, port, credential, process.pid)
            _wait_for_answer(server, process)
            yield server
        except BenchmarkError as error:
            output.seek(0)
            said = output.read().decode(errors="replace").strip()
            if said:
                error.add_note(f"{name} said:\n{said[-2000:]}")
            raise
        finally:
            _end(process)


def _wait_for_answer(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    last = "nothing listens"
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise BenchmarkError(f"{server.name}: ended with code {process.returncode} before its first answer")
        try:
            status, _ = server.call("GET", "/api/")
        except (OSError, http.client.HTTPException) as error:
            last = str(error)
        else:
            if status == 200:
                return
            last = f"GET /api/ answered {status}"
        time.sleep(POLL)
    raise BenchmarkError(f"{server.name}: no answer in {START_TIMEOUT:.0f} s ({last})")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def parse_peer(text: str) -> Server:
    """`NAME=URL:PASSWORD` as a server, e.g. `old=http://127.0.0.1:8124:secret`.

    A password that begins with "Bearer " goes into an Authorization header. Raises ValueError for another form.
    """
    found = re.fullmatch(r"(?P<name>[^=]+)=(?:http://)?(?P<host>[^:/]+):(?P<port>\d{1,5})/?:(?P<password>.+)", text)
    if not found:
        raise ValueError(f"{text!r} is not NAME=URL:PASSWORD, for example old=http://127.0.0.1:8124:secret")
    name, host, password = found["name"], found["host"], found["password"]
    if name in {"hub", "raw", "node", "pimatic"}:
        raise ValueError(f"a peer cannot be called {name!r}: the table has one already")
    port = int(found["port"])
    header = "Authorization" if password.startswith("Bearer ") else "X-HA-Access"
    return Server(name, host, port, (header, password), _listener(host, port))


def _listener(host: str, port: int) -> int | None:
    """The process that listens on a port of this machine, if it can be seen."""
    if host not in {"127.0.0.1", "localhost"}:
        return None
    try:
        sockets = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return None
    listening = (entry for entry in sockets if entry.status == psutil.CONN_LISTEN)
    return next((entry.pid for entry in listening if entry.laddr and entry.laddr[1] == port), None)
