"""The page about the client: its examples run as they stand, against each kind of hub, and no name is left out."""

import contextlib
import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

from hallway import remote
from tests.remote.fake_hub import FakeHub, Hub

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "python-client.md").read_text("utf-8")
EXAMPLE = re.compile(r"```python\n(?P<code>.*?)```(?:\n\n```text\n(?P<output>.*?)```)?", re.DOTALL)
ADDRESS = '"127.0.0.1", "secret"'


def test_the_examples_print_what_the_page_says(home: Hub) -> None:
    examples = list(EXAMPLE.finditer(PAGE))
    assert len(examples) == PAGE.count("```python") > 8
    names: dict[str, object] = {}
    for example in examples:
        code = example["code"].replace(f"{ADDRESS})", f"{home.host!r}, {home.password!r}, {home.port})")
        line = PAGE[: example.start()].count("\n") + 1
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile("\n" * line + code, "python-client.md", "exec"), names)
        assert printed.getvalue() == (example["output"] or ""), f"python-client.md:{line}"


def test_every_public_name_is_on_the_page() -> None:
    assert [name for name in remote.__all__ if not re.search(rf"\b{name}\b", PAGE)] == []


def test_the_folder_works_without_the_rest_and_without_any_other_package(fake: FakeHub, tmp_path: Path) -> None:
    shutil.copytree(Path(remote.__file__).parent, tmp_path / "remote", ignore=shutil.ignore_patterns("__pycache__"))
    program = tmp_path / "program.py"
    program.write_text(
        "import sys\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "import remote\n"
        f"api = remote.API({fake.host!r}, {fake.password!r}, {fake.port})\n"
        "print(remote.set_state(api, 'test.alone', '1'), 'hallway' in sys.modules)\n",
        "utf-8",
    )
    run = subprocess.run([sys.executable, "-I", "-S", str(program)], capture_output=True, text=True, check=False)
    assert (run.stdout, run.stderr) == ("True False\n", "")
