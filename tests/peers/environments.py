"""Where published clients and servers are installed: environments of Pythons that they run on, and node_modules.

They are kept in $HALLWAY_TEST_CACHE (~/.cache/hallway-tests) and shared by test runs, also by parallel ones. Where the
interpreter is missing, or a client cannot be fetched, the test that asks is skipped with the reason.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

# newer ones do not install what was packaged then
_INSTALLERS = ("pip<22", "setuptools<58", "wheel<0.38")
_INSTALL_TIMEOUT = 300
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

    def make() -> str | None:
        # indexes of a pip.conf may hold wheels for newer Pythons that an old pip takes for fitting
        environment = {**plain_environment(), "PIP_CONFIG_FILE": os.devnull}
        steps = (
            [path, "-m", "venv", str(home)],
            [*pip, "--upgrade", *_INSTALLERS],
            [*pip, *client.requirements],
        )
        return next((reason for step in steps if (reason := _failure(step, environment))), None)

    return _kept(home, make, [str(python), "-c", client.check]) or python


@functools.cache
def _modules(client: NodeClient) -> Path | str:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return "needs node and npm on PATH"
    home = _cache() / f"npm-{client.name}-{client.version}"

    def make() -> str | None:
        home.mkdir(parents=True)
        (home / "package.json").write_text(json.dumps({"private": True}))
        options = ["--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--loglevel=error"]
        install = [npm, "install", "--prefix", str(home), *options, f"{client.name}@{client.version}"]
        return _failure(install, plain_environment())

    check = f"require({json.dumps(str(home / 'node_modules' / client.name))})"
    return _kept(home, make, [node, "-e", check]) or home


def _kept(home: Path, make: Callable[[], str | None], check: list[str]) -> str | None:
    """Makes what is kept in that folder unless it is there and good; the reason when that fails."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with _locked(home.with_name(f"{home.name}.lock")):
        if home.exists() and _failure(check, plain_environment()) is None:
            return None
        shutil.rmtree(home, ignore_errors=True)
        return make() or _failure(check, plain_environment())


def _cache() -> Path:
    return Path(os.environ.get("HALLWAY_TEST_CACHE") or Path.home() / ".cache" / "hallway-tests")


def _interpreter(versions: tuple[str, ...]) -> tuple[str, str] | None:
    """The first that runs: its path and whole version."""
    for version in versions:
        on_path = shutil.which(f"python{version}")
        kept = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
        for candidate in [*([on_path] if on_path else []), *map(str, kept)]:
            # a name on PATH may be a shim that only tells where Python would be
            tried = subprocess.run([candidate, "-c", _PROBE], capture_output=True, text=True, timeout=20, check=False)
            if tried.returncode == 0:
                return candidate, tried.stdout.strip()
    return None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _failure(command: list[str], environment: Mapping[str, str]) -> str | None:
    """Runs the command; why it failed, if it did."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_INSTALL_TIMEOUT, check=False, env=environment
        )
    except subprocess.TimeoutExpired:
        return f"`{' '.join(command)}` did not end within {_INSTALL_TIMEOUT} s"
    if done.returncode == 0:
        return None
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
    return f"`{' '.join(command)}` failed: {''.join(said)}"


def plain_environment() -> dict[str, str]:
    """The environment without what would lead an old interpreter to this one's packages."""
    ours = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTHONWARNINGS", "__PYVENV_LAUNCHER__"}
    return {name: value for name, value in os.environ.items() if name not in ours}
