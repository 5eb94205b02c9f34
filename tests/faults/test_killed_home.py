"""A home that is killed at a thousand moments loses nothing that it acknowledged, and every file opens.

It is killed while it starts, works and closes, at times in a new directory. HALLWAY_SEED repeats a run,
HALLWAY_HOME_KILLS sets how often.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("HALLWAY_HOME_KILLS", "1000"))
AT_ONCE = 2

pytestmark = pytest.mark.timeout(60 + KILLS)


def test_after_a_thousand_kills_everything_acknowledged_is_there(tmp_path: Path) -> None:
    seed = os.environ.get("HALLWAY_SEED") or secrets.token_hex(4)
    sys.stdout.write(f"\nHALLWAY_SEED={seed}\n")
    program = [sys.executable, "-m", "tests.faults.killing"]
    running = [
        subprocess.Popen(
            [*program, str(tmp_path / f"home{number}"), str(KILLS // AT_ONCE), f"{seed}.{number}"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(AT_ONCE)
    ]
    done = Counter[str]()
    ended = [(each.communicate(), each.returncode) for each in running]
    for (told, errors), code in ended:
        assert code == 0, f"HALLWAY_SEED={seed}: {told}{errors[-4000:]}"
        done.update(json.loads(told))
    sys.stdout.write(f"{KILLS} kills: {dict(done)}\n")
    assert min(done[f"killed {moment}"] for moment in ("while opening", "at work", "while closing")) > 0
    assert min(done[kind] for kind in ("edit", "text", "define", "report")) > KILLS // 20
