"""A hallway in a process of its own, for tests that look at it from outside.

It must not know anything of the hub's inside: only its command line, files and doors.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from tests.peers.ports import free_port

PASSWORD = "a secret of the tests"
DEMO_DEVICES = """\
devices:
  - {id: bed_light, class: DummyDimmer, name: Bed Light}
  - {id: ceiling_lights, class: DummyDimmer, name: Ceiling Lights}
  - {id: kitchen_lights, class: DummyDimmer, name: Kitchen Lights}
  - {id: ac, class: DummySwitch, name: AC}
  - {id: decorative_lights, class: DummySwitch, name: Decorative Lights}
  - {id: outside_temperature, class: DummyTemperatureSensor, name: Outside Temperature}
"""


class Answer:
    """Status, headers (lower case) and body of one answer."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body

    def json(self) -> Any:
        return json.loads(self.body)


class RunningHub:
    """A hub on a free port of this machine; `restart` also starts one that was killed, on the same home and port."""

    host = "127.0.0.1"

    def __init__(self, home: Path, configuration: str, *options: str, password: str = PASSWORD) -> None:
        self.home = home
        self.port = free_port()
        self.password = password
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._log = home.parent / f"{home.name}.log"
        home.mkdir(parents=True, exist_ok=True)
        self.configure(configuration)

    @property
    def base_url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self.pid)

    @property
    def log(self) -> str:
        """What the hub has printed so far."""
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    def configure(self, text: str) -> None:
        """Write configuration.yaml; the http section is added unless the text has one."""
        if "http:" not in text:
            text = f'http: {{port: {self.port}, api_password: "{self.password}"}}\n{text}'
        (self.home / "configuration.yaml").write_text(text, "utf-8")

    def start(self, seconds: float = 180) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "hallway", "run", "--home", str(self.home)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--host", self.host, "--port", str(self.port), *self._options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "TZ": "UTC"},
            )
        self.wait_until_it_answers(seconds)

    def wait_until_it_answers(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self._process is not None
            if self._process.poll() is not None:
                raise AssertionError(f"the hub ended with {self._process.returncode}:\n{self.log}")
            try:
                self.ask("GET", "/api/", timeout=20)
            except OSError:
                time.sleep(0.01)
            else:
                return
        raise AssertionError(f"the hub did not answer within {seconds} s:\n{self.log}")

    def stop(self, seconds: float = 120) -> int:
        """SIGTERM; its exit code."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the hub did not end within {seconds} s:\n{self.log}") from None

    def kill(self) -> None:
        """SIGKILL: it cannot do anything about it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(60)

    def restart(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()
        self.start()

    def ask(
        self,
        method: str,
        path: str,
        data: Any = None,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 120,
    ) -> Answer:
        """One request with the password; `data` goes as JSON, `headers` takes the place of the password."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            sent = {"X-HA-Access": self.password} if headers is None else dict(headers)
            connection.request(method, path, json.dumps(data).encode() if data is not None else body, sent)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.headers.items()), answer.read())
        except http.client.HTTPException as error:
            raise OSError(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()
