"""Where published clients and servers are installed: environments of Pythons that they run on, and node_modules.

They are kept in $HALLWAY_TEST_CACHE (~/.cache/hallway-tests) and shared by test runs, also by parallel ones. Where the
interpreter is missing, or a client cannot be fetched, the test that asks is skipped with the reason; the processes of
one test run try that once, and ask a registry no more that was too slow for one client.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pytest

# newer ones do not install what was packaged then
_INSTALLERS = ("pip<22", "setuptools<58", "wheel<0.38")
_PATIENCE = 240.0
"""Seconds for one client, waiting for others who install it included: a slow registry skips a test before its time."""
_PROBE_TIMEOUT = 60
_PROBE = "import ssl, sys, venv; print('%d.%d.%d' % sys.version_info[:3])"


@dataclass(frozen=True, slots=True)
class PythonClient:
    """A program from PyPI, the packages that it needs at versions of its time, and Pythons that run it, best first."""

    name: str
    requirements: tuple[str, ...]
    pythons: tuple[str, ...]
    check: str
    """A statement that runs when the client is installed as a whole."""


@dataclass(frozen=True, slots=True)
class NodeClient:
    """A client from npm at one version; what it needs is installed as it declares it."""

    name: str
    version: str


def python_of(client: PythonClient) -> Path:
    """The interpreter that has the client, installed if it is not yet; skips the test when that is impossible."""
    return _or_skip(_python(client))


def release(version: str) -> Path:
    """The interpreter that has that release of homeassistant; skips the test when that is impossible."""
    check = f"import homeassistant.remote, homeassistant.const as c; assert c.__version__ == {version!r}"
    return python_of(PythonClient(f"homeassistant-{version}", (f"homeassistant=={version}",), ("3.6", "3.7"), check))


def modules_of(client: NodeClient) -> Path:
    """The folder with the client's node_modules, filled if it is not yet; skips the test when that is impossible."""
    return _or_skip(_modules(client))


def program(name: str) -> Path:
    """A program on PATH; skips the test when there is none."""
    found = shutil.which(name)
    return _or_skip(Path(found) if found else f"needs {name} on PATH")


def _or_skip(found: Path | str) -> Path:
    if isinstance(found, str):
        pytest.skip(found)
    return found


@functools.cache
def _python(client: PythonClient) -> Path | str:
    """The interpreter, or why there is none; asked once in a test run, for a download may fail slowly."""
    base = _interpreter(client.pythons)
    if base is None:
        return f"needs one of Python {', '.join(client.pythons)} that runs, on PATH or in ~/.pyenv/versions"
    path, version = base
    wanted = hashlib.sha256(" ".join(client.requirements).encode()).hexdigest()[:8]
    home = _cache() / f"{client.name}-{version}-{wanted}"
    python = home / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]

    def make(end: float) -> str | None:
        # indexes of a pip.conf may hold wheels for newer Pythons that an old pip takes for fitting
        environment = {**plain_environment(), "PIP_CONFIG_FILE": os.devnull}
        steps = (
            [path, "-m", "venv", str(home)],
            [*pip, "--upgrade", *_INSTALLERS],
            [*pip, *client.requirements],
        )
        return next((reason for step in steps if (reason := _failure(step, environment, end))), None)

    return _kept(home, "pypi", make, [str(python), "-c", client.check]) or python


@functools.cache
def _modules(client: NodeClient) -> Path | str:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return "needs node and npm on PATH"
    home = _cache() / f"npm-{client.name}-{client.version}"

    def make(end: float) -> str | None:
        home.mkdir(parents=True)
        (home / "package.json").write_text(json.dumps({"private": True}))
        options = ["--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--loglevel=error"]
        install = [npm, "install", "--prefix", str(home), *options, f"{client.name}@{client.version}"]
        return _failure(install, plain_environment(), end)

    check = f"require({json.dumps(str(home / 'node_modules' / client.name))})"
    return _kept(home, "npm", make, [node, "-e", check]) or home


def _kept(home: Path, registry: str, make: Callable[[float], str | None], check: list[str]) -> str | None:
    """Makes what is kept in that folder unless it is there and good; the reason when that fails."""
    end = time.monotonic() + _PATIENCE
    home.parent.mkdir(parents=True, exist_ok=True)
    alone, all_of_them = home.with_name(f"{home.name}.failed"), home.with_name(f"{registry}.failed")
    with home.with_name(f"{home.name}.lock").open("w") as lock:
        if not _is_locked(lock, end):
            return f"another test run installs {home.name}, and was not done within {_PATIENCE:g} s"
        if (reason := _told_before(alone)) is not None:
            return reason
        if home.exists() and _failure(check, plain_environment(), end) is None:
            return None
        if (reason := _told_before(all_of_them)) is not None:
            return reason
        shutil.rmtree(home, ignore_errors=True)
        reason = make(end) or _failure(check, plain_environment(), end)
        if reason is not None:
            (all_of_them if time.monotonic() > end else alone).write_text(f"{_run()}\n{reason}", "utf-8")
        return reason


def _run() -> str:
    """What the processes that run these tests side by side have in common, and no others; empty: there is only one."""
    return os.environ.get("PYTEST_XDIST_TESTRUNUID", "")


def _told_before(file: Path) -> str | None:
    """Why it failed in this test run already."""
    run, _, reason = (file.read_text("utf-8") if file.exists() else "").partition("\n")
    return reason if run and run == _run() else None


def _cache() -> Path:
    return Path(os.environ.get("HALLWAY_TEST_CACHE") or Path.home() / ".cache" / "hallway-tests")


def _interpreter(versions: tuple[str, ...]) -> tuple[str, str] | None:
    """The first that runs: its path and whole version."""
    for version in versions:
        on_path = shutil.which(f"python{version}")
        kept = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
        for candidate in [*([on_path] if on_path else []), *map(str, kept)]:
            # a name on PATH may be a shim that only tells where Python would be
            probe = [candidate, "-c", _PROBE]
            tried = subprocess.run(probe, capture_output=True, text=True, timeout=_PROBE_TIMEOUT, check=False)
            if tried.returncode == 0:
                return candidate, tried.stdout.strip()
    return None


def _is_locked(lock: TextIO, end: float) -> bool:
    """Whether we have the lock (until the file is closed) before that time."""
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
        else:
            return True


def _failure(command: list[str], environment: Mapping[str, str], end: float) -> str | None:
    """Runs the command; why it failed, if it did."""
    left = max(1.0, end - time.monotonic())
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=left, check=False, env=environment)
    except subprocess.TimeoutExpired:
        return f"`{' '.join(command)}` did not end in time: a client has {_PATIENCE:g} s to be installed"
    if done.returncode == 0:
        return None
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
    return f"`{' '.join(command)}` failed: {''.join(said)}"


def plain_environment() -> dict[str, str]:
    """The environment without what would lead an old interpreter to this one's packages."""
    ours = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTHONWARNINGS", "__PYVENV_LAUNCHER__"}
    return {name: value for name, value in os.environ.items() if name not in ours}
