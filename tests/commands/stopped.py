"""A command that gets a signal as soon as it calls a certain function, and the home that it is given.

It must not know what a command says.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hallway.clock import VirtualClock
from hallway.home.values import Attributes
from hallway.store.definitions import Definition
from hallway.store.offline import resting

COMMAND = [sys.executable, "-m", "hallway"]
HEARS_SIGNALS = ("env", "--default-signal=INT,HUP")
"""Whoever runs the tests in the background may have had them ignored, and children inherit that."""
SCRIPT = """\
import importlib, os, shutil, signal, sys
from hallway.cli import main

module, _, name = sys.argv[1].partition(":")
owner = importlib.import_module(module)
*within, name = name.split(".")
for part in within:
    owner = getattr(owner, part)
real, number = getattr(owner, name), getattr(signal, sys.argv[2])
remove = shutil.rmtree

def signalled(*given, **named):
    if not sys.argv[4] or os.path.exists(sys.argv[4]):
        os.kill(os.getpid(), number)
    return real(*given, **named)

def again(*given, **named):
    shutil.rmtree = remove
    os.kill(os.getpid(), number)
    return remove(*given, **named)

setattr(owner, name, signalled)
if sys.argv[3] == "again":
    shutil.rmtree = again
sys.exit(main(sys.argv[5:]))
"""
Ended = subprocess.CompletedProcess[str]


def hallway(*arguments: str | Path) -> Ended:
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)


def stopped(
    where: str,
    how: str,
    *arguments: str | Path,
    again: bool = False,
    once_there: str | Path = "",
    wrapped: tuple[str, ...] = (),
) -> Ended:
    """Run the command; `how` is the signal that it gets at `where`, `module:function`.

    again: and once more when it begins to clear up; once_there: not before that file is; wrapped: a program that
    starts it.
    """
    given = (where, how, "again" if again else "once", once_there, *arguments)
    command = [*HEARS_SIGNALS, *wrapped, sys.executable, "-c", SCRIPT, *map(str, given)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def write_home(directory: Path) -> Path:
    """A home with a lamp, as a hub leaves it."""
    with resting(directory, VirtualClock()) as home:
        lamp: Attributes = {"id": "lamp", "name": "Lamp", "class": "DummySwitch"}
        home.write(
            [
                Definition("device", "lamp", 0, 5.0, None, "pimatic", lamp, 1),
                Definition("hub", "id", 0, 5.0, None, "start", {"id": "home of the tests"}),
            ],
            (),
        )
    (directory / "configuration.yaml").write_text("devices: []\n", "utf-8")
    return directory


def files_in(directory: Path) -> dict[str, bytes]:
    """All files but for the lock, which stays, and for what SQLite puts beside a database while it reads."""
    return {
        str(path.relative_to(directory)): path.read_bytes() if path.is_file() else b""
        for path in directory.rglob("*")
        if path.name != "hub.lock" and not path.name.endswith(("-wal", "-shm"))
    }
