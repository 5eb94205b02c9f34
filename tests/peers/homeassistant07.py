"""Real Home Assistant servers (0.7.0.1 and 0.12.0) as processes: a master with demo devices, and a slave.

Both listen on 127.0.0.1 only and die with the block they are used in; their logs are kept beside their configuration.
"""

from __future__ import annotations

import abc
import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.peers.environments import plain_environment
from tests.peers.ports import free_port
from tests.peers.rest import Rest
from tests.peers.waiting import wait_until

_START = 120.0
_END = 30.0
# a service call may take its ten seconds
_ANSWER = 60.0

_MASTER_CONFIGURATION = """\
homeassistant:
  name: Real
  latitude: 52.0
  longitude: 5.0
  temperature_unit: C
  time_zone: Europe/Amsterdam
http:
  api_password: {password}
  server_host: 127.0.0.1
  server_port: {port}
light:
  platform: demo
switch:
  platform: demo
sensor:
  platform: demo
notify:
  platform: demo
group:
  my_lights: light.Bed_Light, light.Ceiling_Lights
"""


class _Peer(abc.ABC):
    """One process of a real server on one port, which it gets again when it is started again."""

    def __init__(self, python: Path, directory: Path, password: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.rest = Rest("127.0.0.1", free_port(), password)
        self.directory = directory
        self.log = directory / "process.log"
        self._python = python
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()

    @abc.abstractmethod
    def start(self) -> None:
        """Runs it; returns when its API answers."""

    def kill(self) -> None:
        """SIGKILL: it says goodbye to nobody."""
        self._end(signal.SIGKILL)

    def _launch(self, *arguments: str) -> subprocess.Popen[str]:
        assert self._process is None, "it runs already"
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                [str(self._python), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**plain_environment(), "HOME": str(self.directory)},
                start_new_session=True,
            )
        return self._process

    def _end(self, sign: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        _signal(process, sign)
        try:
            process.wait(_END)
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait(_END)
        _signal(process, signal.SIGKILL)
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()

    def _story(self) -> str:
        return f"the end of {self.log}:\n" + "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-20:])


class Master(_Peer):
    """`hass` with demo lights, switches, sensors, a group and the service notify.notify that fires an event."""

    def __init__(self, python: Path, directory: Path, password: str = "masterpw") -> None:
        super().__init__(python, directory, password)
        configuration = _MASTER_CONFIGURATION.format(password=password, port=self.rest.port)
        (directory / "configuration.yaml").write_text(configuration)

    def start(self) -> None:
        process = self._launch("-m", "homeassistant", "-c", str(self.directory))

        def up() -> bool:
            assert process.poll() is None, f"the master ended by itself, {self._story()}"
            return self.rest.answers()

        wait_until(up, _START, f"the master's API, {self._story()}")

    def stop(self) -> None:
        """SIGTERM, at which 0.7 ends at once."""
        self._end(signal.SIGTERM)


class Slave(_Peer):
    """`homeassistant.remote.HomeAssistant` at a master, with its own http server; see slave_program.py."""

    def __init__(self, python: Path, directory: Path, master: Rest, password: str = "slavepw") -> None:
        super().__init__(python, directory, password)
        self._master = master
        self._lines: queue.Queue[str] = queue.Queue()

    def start(self) -> None:
        settings = {"directory": str(self.directory), "master": _address(self._master), "own": _address(self.rest)}
        process = self._launch(str(Path(__file__).with_name("slave_program.py")), json.dumps(settings))
        self._lines = queue.Queue()
        threading.Thread(target=_copy, args=(process, self._lines), daemon=True).start()
        assert self._result(_START) == "runs"

    def stop(self) -> None:
        """As its own stop does it: cancels the event forwarding, then ends."""
        self._do("stop")
        self._end(signal.SIGTERM)

    def states(self) -> dict[str, dict[str, Any]]:
        """The slave's mirror of the master's states."""
        return dict(self._do("states"))

    def value(self, entity: str) -> str | None:
        state = self.states().get(entity)
        return None if state is None else str(state["state"])

    def set_state(self, entity: str, state: str, attributes: dict[str, Any] | None = None) -> None:
        self._do("set_state", entity=entity, state=state, attributes=attributes or {})

    def fire(self, event: str, data: dict[str, Any] | None = None) -> None:
        self._do("fire", event=event, data=data or {})

    def heard(self, event: str | None = None) -> list[dict[str, Any]]:
        """What its event bus carried: {type, data, origin}, of all types or one."""
        return [each for each in self._do("heard") if event in {None, each["type"]}]

    def hears(self, event: str, *, times: int = 1, seconds: float = 60) -> list[dict[str, Any]]:
        """The data of the events of that type, once there are so many of them."""
        what = f"{times} × event {event} at the slave"
        wait_until(lambda: len(self.heard(event)) >= times, seconds, what)
        return [each["data"] for each in self.heard(event)]

    def call_service(self, domain: str, service: str, data: dict[str, Any] | None = None) -> float:
        """Calls and waits for service_executed; the seconds that took. AssertionError when it does not come."""
        answer = self._do("call_service", domain=domain, service=service, data=data or {})
        assert answer["executed"], f"no service_executed for {domain}.{service} after {answer['seconds']:.1f} s"
        return float(answer["seconds"])

    def register_service(self, domain: str, service: str) -> None:
        self._do("register_service", domain=domain, service=service)

    def calls(self) -> list[dict[str, Any]]:
        """How its own services were called: {domain, service, data}."""
        return list(self._do("calls"))

    def _do(self, command: str, **arguments: Any) -> Any:
        assert self._process is not None, "the slave does not run"
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": command, **arguments}) + "\n")
        self._process.stdin.flush()
        return self._result(_ANSWER)

    def _result(self, seconds: float) -> Any:
        try:
            line = json.loads(self._lines.get(timeout=seconds))
        except queue.Empty:
            raise AssertionError(f"the slave said nothing for {seconds:g} s, {self._story()}") from None
        assert "result" in line, f"the slave failed with {line['error']}, {self._story()}"
        return line["result"]


def _address(server: Rest) -> dict[str, Any]:
    return {"host": server.host, "port": server.port, "password": server.password}


def _signal(process: subprocess.Popen[str], sign: signal.Signals) -> None:
    """To the whole group: from 0.9 on the server is a child of what was started, and outlives it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, sign)


def _copy(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    assert process.stdout is not None
    try:
        for line in process.stdout:
            lines.put(line)
    except ValueError:
        pass  # the pipe was closed by the end of the block
