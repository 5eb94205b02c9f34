"""House rules that a machine can see, checked on every file.

Modules say what they are for, time comes from the clock, files stay readable, no module keeps state, nothing is left
for later. Each rule is a small function over a source text; the second half of this file shows that each can fail.
"""

import ast
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = sorted((ROOT / "src").rglob("*.py"))
PYTHON = [path for folder in ("src", "tests", "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))]
MAX_LINES = 600
DOCSTRING_LINES = range(2, 7)

HALLWAY = ROOT / "src" / "hallway"
MAY_READ_TIME = {HALLWAY / "clock.py", HALLWAY / "remote" / "clock.py"}
READS_TIME = {
    "time": {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"},
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
}

WRITES = {"write_text", "write_bytes", "touch", "rename", "os.rename", "os.replace", "os.link", "os.truncate"} | {
    f"shutil.{name}" for name in ("copy", "copy2", "copyfile", "copytree", "move")
}
WRITING_FLAGS = {"O_CREAT", "O_WRONLY", "O_RDWR", "O_APPEND", "O_TRUNC"}
MODE = re.compile(r"[rwaxbt+]{1,3}")
"""r+ is not meant: it fills what durable.coming has made."""
MAY_WRITE_FILES = {
    HALLWAY / "durable.py",
    HALLWAY / "store" / "lock.py",  # holds nothing but a number for people
    HALLWAY / "store" / "trials.py",  # a lock too, which holds nothing
    HALLWAY / "store" / "redo.py",  # appends, and has checksums for what is half there
    HALLWAY / "store" / "database.py",  # makes the empty file that SQLite fills
}

MUTABLE_LITERALS = (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp)
MUTABLE_CALLS = {"dict", "list", "set", "bytearray", "defaultdict", "deque", "Counter", "OrderedDict", "ChainMap"}

# Put together here, so that this file does not hold what it forbids.
OUTSIDE = ".." + "/shared"
FOR_LATER = re.compile(rf"\b({'|'.join(('TO' + 'DO', 'FIX' + 'ME', 'X' * 3))})\b")
MAY_NAME_OUTSIDE = ROOT / ".ci" / "run"


def docstring_problems(text: str) -> Iterator[str]:
    docstring = ast.get_docstring(ast.parse(text)) or ""
    lines = [line for line in docstring.splitlines() if line.strip()]
    if len(lines) not in DOCSTRING_LINES:
        yield f"1: the module docstring has {len(lines)} lines, 2 to 6 are wanted"


def clock_problems(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=name):
                if name in READS_TIME.get(owner, ()):
                    yield f"{node.lineno}: {owner}.{name} reads the time, take a Clock"
            case ast.ImportFrom(module="time"):
                for alias in node.names:
                    if alias.name in READS_TIME["time"]:
                        yield f"{node.lineno}: time.{alias.name} reads the time, take a Clock"


def length_problems(text: str) -> Iterator[str]:
    lines = text.count("\n")
    if lines > MAX_LINES:
        yield f"{MAX_LINES + 1}: {lines} lines, at most {MAX_LINES} are allowed"


def state_problems(text: str) -> Iterator[str]:
    """Mutable values bound to a module's names, but for constants declared Final; and `global`."""
    tree = ast.parse(text)
    for statement in module_level(tree.body):
        match statement:
            case ast.Assign(targets=targets, value=value):
                names, final = [name for target in targets for name in names_bound(target)], False
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                names, final = [name], is_final(annotation)
            case _:
                continue
        if value is None or not is_mutable(value):
            continue
        for name in names:
            if name != "__all__" and not (name.isupper() and final):
                yield f"{statement.lineno}: {name} is mutable state of a module; take a tuple, a frozenset or a Final"
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield f"{node.lineno}: global {', '.join(node.names)} is state of a module"


def module_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when the module is imported, those in if, try, with and loops included."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        yield statement
        for field in ("body", "orelse", "finalbody"):
            yield from module_level(getattr(statement, field, []))
        for handler in getattr(statement, "handlers", []):
            yield from module_level(handler.body)


def names_bound(target: ast.expr) -> list[str]:
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name)]


def is_final(annotation: ast.expr) -> bool:
    match annotation:
        case ast.Subscript(value=ast.Name(id="Final")) | ast.Name(id="Final"):
            return True
        case ast.Subscript(value=ast.Attribute(attr="Final")) | ast.Attribute(attr="Final"):
            return True
    return False


def is_mutable(value: ast.expr) -> bool:
    match value:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in MUTABLE_CALLS
    return isinstance(value, MUTABLE_LITERALS)


def writing_problems(text: str) -> Iterator[str]:
    """What makes, fills or renames a file by itself: half of it may be there after a power cut."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and (name := called(node)) and writes(name, node):
            yield f"{node.lineno}: {name} writes a file, take hallway.durable"


def called(node: ast.Call) -> str:
    match node.func:
        case ast.Attribute(value=ast.Name(id="os" | "shutil" as owner), attr=name):
            return f"{owner}.{name}"
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def writes(name: str, node: ast.Call) -> bool:
    if name == "os.open":
        return any(isinstance(each, ast.Attribute) and each.attr in WRITING_FLAGS for each in ast.walk(node))
    if name in ("open", "fdopen", "os.fdopen"):
        given = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "mode")]
        in_memory = any(keyword.arg == "fileobj" for keyword in node.keywords)
        modes = [each.value for each in given if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        return not in_memory and any(MODE.fullmatch(mode) and set(mode) & set("wax") for mode in modes)
    if name == "replace":  # of a path, which has one argument, another path; that of a text has two
        return len(node.args) == 1 and not node.keywords and not is_made_by_a_function(node.args[0])
    return name in WRITES


def is_made_by_a_function(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id != "Path"


def word_problems(text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), start=1):
        if found := FOR_LATER.search(line):
            yield f"{number}: {found[0]}: do it, or leave it out"
        if OUTSIDE in line:
            yield f"{number}: {OUTSIDE} is not part of the project"


def found(rule: Callable[[str], Iterator[str]], paths: list[Path]) -> list[str]:
    """What the rule finds, as `path:line: what`."""
    problems = ((path, problem) for path in paths for problem in rule(path.read_text("utf-8", errors="replace")))
    return [f"{path.relative_to(ROOT)}:{problem}" for path, problem in problems]


def files_of_the_project() -> list[Path]:
    """The files that git tracks or would track (new ones that are not ignored)."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout, so nobody knows which files belong to the project")
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode().split("\0")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


def test_every_module_says_in_two_to_six_lines_what_it_is_for() -> None:
    assert found(docstring_problems, SOURCE) == []


def test_only_the_clock_and_the_stand_alone_client_read_the_time() -> None:
    assert found(clock_problems, [path for path in SOURCE if path not in MAY_READ_TIME]) == []


def test_files_are_written_whole_or_not_at_all() -> None:
    stands_alone = HALLWAY / "remote"
    judged = [path for path in SOURCE if path not in MAY_WRITE_FILES and stands_alone not in path.parents]
    assert found(writing_problems, judged) == []


def test_no_file_is_longer_than_600_lines() -> None:
    assert found(length_problems, PYTHON) == []


def test_no_module_keeps_mutable_state() -> None:
    assert found(state_problems, SOURCE) == []


def test_nothing_is_left_for_later_and_nothing_outside_is_named() -> None:
    texts = [path for path in files_of_the_project() if b"\0" not in path.read_bytes()]
    texts.remove(MAY_NAME_OUTSIDE)
    assert found(word_problems, texts) == []


# Each rule finds what it forbids, and only that.


@pytest.mark.parametrize("docstring", ["", '"""One line."""', '"""a\nb\n\nc\nd\ne\nf\ng\n"""', "x = 1"])
def test_a_docstring_that_is_missing_or_of_another_length_is_found(docstring: str) -> None:
    assert len(list(docstring_problems(docstring))) == 1


@pytest.mark.parametrize("docstring", ['"""What it is for.\n\nWhat it must not know.\n"""', '"""a\nb\nc\nd\ne\nf\n"""'])
def test_two_to_six_lines_of_docstring_pass(docstring: str) -> None:
    assert list(docstring_problems(docstring)) == []


@pytest.mark.parametrize(
    "text",
    [
        "import time\nnow = time.time()",
        "import time\nread = time.monotonic",
        "import time\n\ndef f() -> int:\n    return time.time_ns()",
        "from time import monotonic as m",
        "from datetime import datetime, UTC\ndatetime.now(UTC)",
        "import datetime\ndatetime.datetime.utcnow()",
        "import datetime\ndatetime.date.today()",
        "from datetime import datetime\ndatetime.today()",
    ],
)
def test_reading_the_time_is_found(text: str) -> None:
    assert len(list(clock_problems(text))) == 1


@pytest.mark.parametrize(
    "text", ["clock.now()", "self._clock.monotonic()", "time.sleep(1)", "datetime.fromtimestamp(at, UTC)"]
)
def test_asking_the_clock_passes(text: str) -> None:
    assert list(clock_problems(text)) == []


@pytest.mark.parametrize(("lines", "problems"), [(MAX_LINES, 0), (MAX_LINES + 1, 1)])
def test_a_long_file_is_found(lines: int, problems: int) -> None:
    assert len(list(length_problems("x\n" * lines))) == problems


@pytest.mark.parametrize(
    "text",
    [
        "cache = {}",
        "cache: dict[str, int] = {}",
        "cache = dict()",
        "seen = set()",
        "from collections import defaultdict\nseen = defaultdict(list)",
        "import collections\nseen = collections.deque()",
        "names = [n for n in ()]",
        "if True:\n    cache = {}",
        "try:\n    pass\nexcept OSError:\n    cache = {}",
        "lower: Final = {}",
        "NAMES = ['a']",
        "NAMES: list[str] = ['a']",
        "A = B = {}",
        "def f() -> None:\n    global counter\n    counter = 1",
    ],
)
def test_mutable_state_of_a_module_is_found(text: str) -> None:
    assert list(state_problems(text))


@pytest.mark.parametrize(
    "text",
    [
        "NAMES = ('a', 'b')",
        "NAMES = frozenset({'a'})",
        "NAMES = MappingProxyType({'a': 1})",
        "NAMES: Final = {'a': 1}",
        "NAMES: Final[dict[str, int]] = {'a': 1}",
        "NAMES: typing.Final = ['a']",
        "__all__ = ['a']",
        "log = logging.getLogger(__name__)",
        "def f() -> None:\n    seen = set()",
        "class A:\n    def f(self) -> None:\n        self.seen = []",
    ],
)
def test_constants_and_values_of_functions_pass(text: str) -> None:
    assert list(state_problems(text)) == []


@pytest.mark.parametrize(
    "line", ["# " + "TO" + "DO: later", "x = 1  # " + "FIX" + "ME", "X" * 3, f"see {OUTSIDE}/notes"]
)
def test_a_forbidden_word_is_found(line: str) -> None:
    assert len(list(word_problems(f"fine\n{line}\n"))) == 1


@pytest.mark.parametrize("line", ["the " + "to" + "do list of a user", "X" * 4, "shared state", "../sharing"])
def test_other_words_pass(line: str) -> None:
    assert list(word_problems(line)) == []


@pytest.mark.parametrize(
    "text",
    [
        "path.write_text('x')",
        "path.write_bytes(b'x')",
        "path.open('w')",
        "open(path, 'ab')",
        "open(path, mode='x')",
        "tarfile.open(path, 'w')",
        "os.fdopen(fd, 'wb')",
        "os.open(path, os.O_RDWR | os.O_CREAT, 0o600)",
        "os.rename(a, b)",
        "new.replace(path)",
        "new.rename(path)",
        "shutil.copyfile(a, b)",
        "path.touch()",
    ],
)
def test_writing_a_file_in_place_is_found(text: str) -> None:
    assert len(list(writing_problems(text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "path.open('rb')",
        "open(path)",
        "path.read_text('utf-8')",
        "durable.write(path, data)",
        "text.replace('a', 'w')",
        "time.replace(tzinfo=UTC)",
        "msgspec.structs.replace(row, changed=1)",
        "os.open(path, os.O_RDONLY)",
        "tarfile.open(fileobj=packed, mode='w')",
        "self.door.open(a)",
        "self.file.replace(partial(f, a))",
    ],
)
def test_reading_a_file_and_the_helper_pass(text: str) -> None:
    assert list(writing_problems(text)) == []
