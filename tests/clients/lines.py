"""A client in a process of its own that takes lines of JSON and prints lines of JSON.

It knows processes and lines only; what is asked and heard is for the tests to judge.
"""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.peers.environments import plain_environment
from tests.peers.waiting import wait_until

_ANSWER = 45.0


class Lines:
    """Runs for as long as the block lasts; lines with `heard` are kept, all others answer what was asked."""

    def __init__(self, command: Sequence[str | Path], log: Path) -> None:
        self._command = [str(part) for part in command]
        self._log = log
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._heard: list[dict[str, Any]] = []
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                encoding="utf-8",
                env=plain_environment(),
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)
        self._reader.join(10)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def ask(self, *line: object) -> dict[str, Any]:
        """What the client answers to that line."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        try:
            return self._answers.get(timeout=_ANSWER)
        except queue.Empty:
            raise AssertionError(f"no answer to {line}; {self._story()}") from None

    def heard(self, name: str) -> list[Any]:
        """All that it heard under that name so far."""
        return [line["event"] for line in list(self._heard) if line["heard"] == name]

    def hears(self, name: str, like: Callable[[Any], bool] = lambda _event: True) -> Any:
        """The first that it hears under that name (and like that), waited for."""

        def matching() -> list[Any]:
            return [event for event in self.heard(name) if like(event)]

        return wait_until(matching, 60, f"{name} at the client; {self._story()}")[0]

    def _story(self) -> str:
        return f"the client said: {self._log.read_text('utf-8', 'replace')}"

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for text in self._process.stdout:
            line = json.loads(text)
            if "heard" in line:
                self._heard.append(line)
            else:
                self._answers.put(line)
