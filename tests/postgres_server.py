"""A PostgreSQL server of the tests: made from the installed programs in a directory, on a free port, killed at will.

It syncs what it commits. It does not run as root, which PostgreSQL refuses: then the user postgres or nobody has it.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psutil

from tests.peers.ports import free_port

PASSWORD = "p%40ss:word"
"""As it stands in URLs: p@ss:word."""
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "40",
    "shared_buffers": "32MB",
    "fsync": "on",
    "recovery_init_sync_method": "syncfs",
    "logging_collector": "off",
    "restart_after_crash": "on",
}


def programs() -> Path:
    """The directory with initdb and postgres: the newest one that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parents[1].name))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    assert on_path is not None, "these tests start a PostgreSQL server: apt install postgresql"
    return Path(on_path).resolve().parent


def account() -> str | None:
    """As whom the server runs, None: as who runs the tests."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


class PostgresServer:
    """A server of its own, with databases that are made as they are asked for."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="hallway-postgres-"))
        self._data = self.directory / "data"
        self._user = account()
        if self._user is not None:
            shutil.chown(self.directory, self._user)
        self._bin = programs()
        self._count = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        secret = self.directory / "secret"
        secret.write_text("p@ss:word\n")
        if self._user is not None:
            shutil.chown(secret, self._user)
        access = ("-U", "ann", "-A", "scram-sha-256", f"--pwfile={secret}")
        self._run("initdb", "-D", self._data, *access, "-N", "-E", "UTF8", "--lc-messages=C")

    def _run(self, program: str, *arguments: str | Path) -> None:
        subprocess.run(
            [self._bin / program, *arguments], check=True, capture_output=True, user=self._user, cwd=self.directory
        )

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        log = (self.directory / "log").open("ab")
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        where = ("-D", str(self._data), "-p", str(self.port), "-k", str(self.directory))
        command = [str(self._bin / "postgres"), *where, *settings]
        with log:
            for _ in range(50):
                process = subprocess.Popen(command, stdout=log, stderr=log, user=self._user, cwd=self.directory)
                while process.poll() is None:
                    if self._answers():
                        self._process = process
                        return
                    time.sleep(0.02)
                time.sleep(0.1)  # something of the one that was killed still holds its memory
        raise AssertionError((self.directory / "log").read_text()[-2000:])

    def _answers(self) -> bool:
        ready = [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ready, check=False).returncode == 0

    def kill(self) -> None:
        """`kill -9` for it and all its children, at once."""
        if self._process is None:
            return
        parent = psutil.Process(self._process.pid)
        parent.suspend()
        children = parent.children(recursive=True)
        for process in (parent, *children):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()
        while any(map(_runs, children)):
            time.sleep(0.005)
        self._process = None

    def stop(self) -> None:
        """End it in good order."""
        if self._process is not None:
            self._process.terminate()  # no new connections
            self._process.send_signal(2)  # and those that there are end
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        """End it and remove its files."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def sql(self, statement: str, database: str = "postgres") -> str:
        """What psql prints for a statement."""
        where = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "ann", "-d", database)
        done = subprocess.run(
            [str(self._bin / "psql"), "-X", "-At", "-v", "ON_ERROR_STOP=1", *where, "-c", statement],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PGPASSWORD": "p@ss:word"},
        )
        return done.stdout.strip()

    def new_database(self) -> str:
        """The URL of a database that nobody has used."""
        self._count += 1
        name = f"home{self._count}"
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, database: str) -> str:
        """The URL of a database of this server."""
        return f"postgresql://ann:{PASSWORD}@127.0.0.1:{self.port}/{database}"


def _runs(process: psutil.Process) -> bool:
    """A killed process whose new parent has not asked for it yet runs no more."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
