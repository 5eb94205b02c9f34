"""A command that is stopped before it is even loaded, which takes a fifth of a second and more on a small machine."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

LOADING = """\
import os, signal, sys

module = sys.argv[1]

class Loading:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, getattr(signal, sys.argv[2]))
from hallway.__main__ import main

sys.meta_path.insert(0, Loading())
sys.argv[1:] = ["--version"]
sys.exit(main())
"""


@pytest.mark.parametrize("module", ["hallway.cli", "argparse", "msgspec", "hallway.settings"])
def test_ctrl_c_while_the_command_is_loaded_shows_no_traceback(module: str) -> None:
    command = [sys.executable, "-c", LOADING, module, "default_int_handler"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


def test_nor_does_it_stop_what_shall_go_on() -> None:
    command = [sys.executable, "-c", LOADING, "hallway.cli", "SIG_IGN"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("hallway ")


def test_the_installed_command_is_loaded_there() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["scripts"] == {"hallway": "hallway.__main__:main"}
