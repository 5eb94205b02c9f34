"""The command from outside: what it prints, how it ends, and what becomes of a home and its password over restarts."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from hallway import __version__
from tests.conftest import StartHub
from tests.hubs import DEMO_DEVICES, PASSWORD, RunningHub
from tests.kept import kept
from tests.peers.ports import free_port
from tests.peers.waiting import wait_until

COMMAND = [sys.executable, "-m", "hallway"]


def hallway(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The command, run to its end."""
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=180, check=False)


def home_with(directory: Path, configuration: str) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / "configuration.yaml").write_text(configuration, "utf-8")
    return directory


@contextmanager
def running(*arguments: str | Path, until: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command while it runs, with what it printed up to that text."""
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        printed = ""
        while until not in printed:
            line = process.stdout.readline()
            assert line, process.stderr.read() if process.stderr else ""
            printed += line
        yield process, printed
    finally:
        process.kill()
        process.communicate()


# ---------------------------------------------------------------------- command line


def test_the_version_is_told() -> None:
    assert hallway("--version").stdout == f"hallway {__version__}\n"


@pytest.mark.parametrize("command", [[], ["run"], ["check"], ["nothing"], ["run", "--home", ".", "--port", "99999"]])
def test_a_wrong_command_line_is_explained_and_exits_with_2(command: list[str]) -> None:
    ended = hallway(*command)
    assert ended.returncode == 2
    assert "usage: hallway" in ended.stderr
    assert "Traceback" not in ended.stderr


# ---------------------------------------------------------------------- configuration

WRONG = """\
http: {prot: 8123}
devices:
  - {id: bed light, class: DummyDimmer}
home: {latitude: north, longitude: 5}
"""


@pytest.mark.parametrize("command", ["run", "check"])
def test_all_that_is_wrong_is_told_with_its_line_and_exits_with_2(tmp_path: Path, command: str) -> None:
    ended = hallway(command, "--home", home_with(tmp_path / "home", WRONG))
    assert ended.returncode == 2
    assert ended.stdout == ""
    lines = [re.search(r"configuration\.yaml:(\d+): ", line) for line in ended.stderr.splitlines()]
    assert [int(found.group(1)) for found in lines if found] == [1, 3, 4]
    assert "Traceback" not in ended.stderr
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["configuration.yaml"]


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_home_without_a_configuration_exits_with_2(tmp_path: Path, command: str) -> None:
    ended = hallway(command, "--home", tmp_path / "nothing")
    assert ended.returncode == 2
    assert "configuration.yaml" in ended.stderr
    assert not (tmp_path / "nothing").exists()


def test_a_good_configuration_is_told_to_be_good(tmp_path: Path) -> None:
    ended = hallway("check", "--home", home_with(tmp_path / "home", DEMO_DEVICES))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "6 devices, 0 variables: all is well" in ended.stdout


def test_a_role_that_no_home_has_is_told_by_check_and_at_the_start(start_hub: StartHub, tmp_path: Path) -> None:
    ann = "{username: ann, password: hers, role: admin}"
    users = f"users:\n  - {ann}\n  - username: eve\n    password: own\n    role: looker\n"
    told = "user eve: role 'looker' is none that every home has (admin, resident, guest)"
    ended = hallway("check", "--home", home_with(tmp_path / "home", users))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert f"configuration.yaml:5: {told}" in ended.stdout
    assert "they may log in and do nothing" in ended.stdout
    assert "user ann" not in ended.stdout
    assert f"hallway.residents: configuration.yaml:6: {told}" in start_hub(users).log  # a line more is its port


PARKED = """\
devices:
  - {id: good, class: DummySwitch}
  - {id: strange, class: NoSuchClass, name: Strange One}
  - {id: also_good, class: DummySwitch}
"""


def test_a_device_that_cannot_be_is_told_by_check_with_its_line(tmp_path: Path) -> None:
    ended = hallway("check", "--home", home_with(tmp_path / "home", PARKED))
    assert ended.returncode == 2
    assert "configuration.yaml:3: " in ended.stderr
    assert "NoSuchClass" in ended.stderr


def test_a_device_that_cannot_be_is_parked_while_the_rest_runs(start_hub: StartHub) -> None:
    hub = start_hub(PARKED)
    states = {state["entity_id"]: state for state in hub.ask("GET", "/api/states").json()}
    assert {"switch.good", "switch.also_good", "problem.strange"} <= set(states)
    assert "NoSuchClass" in str(states["problem.strange"])
    assert "parked: " in hub.log
    assert hub.ask("POST", "/api/services/switch/turn_on", {"entity_id": "switch.good"}).status == 200


# ---------------------------------------------------------------------- run and stop


def test_a_port_that_is_in_use_is_told_and_exits_with_1(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = hallway("run", "--home", home_with(tmp_path / "home", ""), "--port", port)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith(f"hallway: cannot listen on 127.0.0.1 port {port}")
    assert "Traceback" not in ended.stderr


def test_a_second_hub_on_the_same_home_is_refused_with_1(hub: RunningHub) -> None:
    ended = hallway("run", "--home", hub.home, "--port", "0")
    assert ended.returncode == 1
    assert ended.stderr.startswith("hallway: ")
    assert str(hub.home) in ended.stderr
    assert "Traceback" not in ended.stderr
    assert hub.ask("GET", "/api/").status == 200


def test_port_0_is_any_free_one_and_is_told(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home", "home: {name: Hut}\n")
    with running("run", "--home", home, "--port", "0", until="runs Hut at") as (process, printed):
        found = re.search(r"http://127\.0\.0\.1:(\d+) \(process (\d+)\)", printed)
        assert found is not None
        assert int(found.group(2)) == process.pid
        socket.create_connection(("127.0.0.1", int(found.group(1))), 60).close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_hub_well_though_somebody_is_connected(hub: RunningHub, number: signal.Signals) -> None:
    with socket.create_connection((hub.host, hub.port)):
        hub.ask("POST", "/api/states/kept.one", {"state": "5"})
        os.kill(hub.pid, number)
        assert hub.process.wait(120) == 0
    assert "Traceback" not in hub.log


def test_a_call_ends_the_hub_well(hub: RunningHub) -> None:
    assert hub.ask("POST", "/api/services/homeassistant/stop").status == 200
    assert hub.process.wait(120) == 0


@pytest.mark.parametrize("rudely", [True, False])
def test_a_restart_keeps_values(hub: RunningHub, rudely: bool) -> None:
    hub.ask("POST", "/api/services/light/turn_on", {"entity_id": "light.bed_light", "brightness": 100})
    hub.ask("POST", "/api/states/kept.one", {"state": "5", "attributes": {"k": "ü"}})
    before = hub.ask("GET", "/api/states").json()
    if rudely:
        hub.kill()
    hub.restart()
    assert hub.ask("GET", "/api/states").json() == before


# ---------------------------------------------------------------------- password


def status(hub: RunningHub, password: str | None) -> int:
    return hub.ask("GET", "/api/", headers={} if password is None else {"X-HA-Access": password}).status


def kept_passwords(hub: RunningHub) -> int:
    """How many hashes are in home.db, former ones too."""
    return kept(
        hub.home, "SELECT count(*) FROM definition WHERE kind = 'credential' AND body LIKE '%argon2id%'", "home.db"
    )


def test_a_password_that_is_taken_out_of_the_file_keeps_protecting(hub: RunningHub) -> None:
    wait_until(lambda: kept_passwords(hub) == 1, 120, "the hash in home.db")
    hub.configure("http: {host: 127.0.0.1}\n" + DEMO_DEVICES)
    hub.restart()
    assert [status(hub, None), status(hub, "wrong"), status(hub, PASSWORD)] == [401, 401, 200]


def test_a_changed_password_counts_and_the_old_one_does_not(hub: RunningHub) -> None:
    wait_until(lambda: kept_passwords(hub) == 1, 120, "the hash in home.db")
    hub.configure(f"http: {{api_password: another}}\n{DEMO_DEVICES}")
    hub.restart()
    assert [status(hub, PASSWORD), status(hub, "another")] == [401, 200]
    wait_until(lambda: kept_passwords(hub) == 2, 120, "its hash in home.db")
    hub.configure("http: {host: 127.0.0.1}\n" + DEMO_DEVICES)
    hub.restart()
    assert [status(hub, PASSWORD), status(hub, "another")] == [401, 200]


@pytest.mark.parametrize("ending", ["stop", "kill"])
def test_the_password_stands_nowhere_in_the_log_or_the_store(hub: RunningHub, ending: str) -> None:
    hub.ask("GET", "/api/states", headers={"X-HA-Access": PASSWORD})
    hub.ask("POST", f"/api/events/x?api_password={PASSWORD.replace(' ', '+')}", {"api_password": PASSWORD})
    wait_until(lambda: kept_passwords(hub) == 1, 120, "the hash in home.db")
    getattr(hub, ending)()
    files = [path for path in hub.home.rglob("*") if path.is_file() and path.name != "configuration.yaml"]
    assert "home.db" in {path.name for path in files}
    assert [path.name for path in files if PASSWORD.encode() in path.read_bytes()] == []
    assert PASSWORD not in hub.log


def test_what_the_hub_keeps_is_readable_by_nobody_else(hub: RunningHub) -> None:
    modes: dict[str, int] = {}
    for path in hub.home.iterdir():
        with suppress(FileNotFoundError):  # it goes on making files, and removing them
            modes[path.name] = stat.S_IMODE(path.stat().st_mode)
    del modes["configuration.yaml"]
    assert {"home.db", "home.db-wal", "hub.lock", "redo.0"} <= modes.keys()
    assert [name for name, mode in modes.items() if mode & 0o077] == []


# ---------------------------------------------------------------------- demo


def test_the_demo_prints_lines_that_work_as_they_are_printed(tmp_path: Path) -> None:
    home, port = tmp_path / "demo", free_port()
    with running("demo", "--home", home, "--port", str(port), until="Stop with Ctrl-C") as (process, printed):
        found = re.search(r"address +(\S+)\n +password +(\S+)\n", printed)
        assert found is not None
        assert found.group(1) == f"http://127.0.0.1:{port}"
        lines = [line.strip() for line in printed.splitlines() if line.strip().startswith("curl ")]
        assert len(lines) == 4
        assert all(found.group(2) in line for line in lines)
        if shutil.which("curl"):
            states, turned_on, stream, variable = (curl(line) for line in lines)
            assert '"entity_id":"light.bed_light"' in states
            assert '"brightness":' in turned_on
            assert stream.startswith("data: ping\n\n")
            assert '"value":42' in variable
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0


def curl(line: str) -> str:
    """What a line prints when it is given to a shell; of what goes on for ever, the first event."""
    words = shlex.split(line)
    assert words[0] == "curl"
    endless, printed = "/api/stream" in line, b""
    limited = line.replace("curl ", "curl --silent --max-time 120 ", 1)
    with subprocess.Popen(limited, shell=True, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        while (piece := os.read(process.stdout.fileno(), 65_536)) and not (endless and b"\n\n" in printed + piece):
            printed += piece
        if endless:
            os.killpg(process.pid, signal.SIGKILL)
    assert endless or process.returncode == 0
    return (printed + piece).decode()


def test_the_demo_keeps_its_home_and_its_password(tmp_path: Path) -> None:
    home, port = tmp_path / "demo", str(free_port())
    passwords = []
    for _ in range(2):
        with running("demo", "--home", home, "--port", port, until="Stop with") as (_process, printed):
            passwords += re.findall(r"password +(\S+)\n", printed)
    assert len(passwords) == 2
    assert len(set(passwords)) == 1
    assert hallway("check", "--home", home).returncode == 0


def test_the_demo_password_is_readable_by_nobody_else(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    with running("demo", "--home", home, "--port", str(free_port()), until="Stop with"):
        mode = stat.S_IMODE((home / "configuration.yaml").stat().st_mode)
    assert mode & 0o077 == 0


def test_two_demos_have_two_passwords(tmp_path: Path) -> None:
    passwords = set()
    for name in ("one", "two"):
        home = tmp_path / name
        with running("demo", "--home", home, "--port", str(free_port()), until="Stop with") as (_process, printed):
            passwords |= set(re.findall(r"password +(\S+)\n", printed))
    assert len(passwords) == 2
