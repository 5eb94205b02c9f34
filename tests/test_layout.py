"""Who may import whom: the table in docs/architecture.md is the law, and the import graph of src/hallway keeps it.

Found are all imports of ours: at the top, in functions, under TYPE_CHECKING, and import_module("hallway.…").
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
PACKAGE = "hallway"
ROW = re.compile(r"^\| `(?P<pattern>hallway[\w.*]*)` \| (?P<imports>[^|]*) \|$", re.MULTILINE)
DOORS = {"hallway.api.homeassistant", "hallway.api.pimatic", "hallway.api.engineio"}

Table = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Import:
    importer: str
    line: int
    imported: str


def read_table(text: str) -> dict[str, frozenset[str]]:
    """Pattern → patterns that it may import, both as they stand in the first two columns."""
    rows = list(ROW.finditer(text))
    table = {row["pattern"]: frozenset(re.findall(r"`([\w.*]+)`", row["imports"])) for row in rows}
    assert len(table) == len(rows), "a module stands twice in the table"
    return table


def row_of(module: str, table: Table) -> str | None:
    """The most specific row: of the module itself, then of the nearest package around it.

    `a.b` is that module alone, `a.b.*` that package with the modules directly in it, `a.b.**` all below it too.
    """
    parent, _, _ = module.rpartition(".")
    parts = module.split(".")
    enclosing = (".".join(parts[:length]) + ".**" for length in range(len(parts) - 1, 0, -1))
    candidates = [module, f"{module}.*", f"{module}.**", f"{parent}.*", *enclosing]
    return next((pattern for pattern in candidates if pattern in table), None)


def modules(source: Path) -> dict[str, Path]:
    """Dotted name → file, for every module of the package."""
    found = {}
    for path in sorted((source / PACKAGE).rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(source: Path) -> Iterator[Import]:
    """Every import of one of our modules by another, wherever it stands in the file."""
    known = modules(source)
    for importer, path in known.items():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            for name in names_imported(node, importer, is_package=path.name == "__init__.py"):
                imported = name if name in known else name.rpartition(".")[0]
                if name.split(".")[0] == PACKAGE and imported != importer:
                    yield Import(importer, getattr(node, "lineno", 0), imported)


def names_imported(node: ast.AST, importer: str, *, is_package: bool) -> list[str]:
    """Absolute dotted names; for `from a import b` it is `a.b`, which may be a module or something in module a."""
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom():
            base = node.module or ""
            if node.level:
                package = importer.split(".") if is_package else importer.split(".")[:-1]
                package = package[: len(package) - node.level + 1]
                base = ".".join([*package, base]) if base else ".".join(package)
            return [f"{base}.{alias.name}" for alias in node.names]
        case ast.Call(
            func=ast.Attribute(attr="import_module") | ast.Name(id="import_module" | "__import__"),
            args=[ast.Constant(value=str(name)), *_],
        ):
            return [name]
    return []


def violations(source: Path, table: Table) -> list[str]:
    """Each import that the table does not allow, as `module:line imports module`."""
    wrong = []
    for found in imports(source):
        importer, imported = row_of(found.importer, table), row_of(found.imported, table)
        allowed = table.get(importer or "", frozenset()) | {importer, PACKAGE}
        if imported not in allowed:
            wrong.append(f"{found.importer}:{found.line} imports {found.imported}")
    return wrong


def unknown_modules(source: Path, table: Table) -> list[str]:
    return [module for module in modules(source) if row_of(module, table) is None]


def stale_rows(source: Path, table: Table) -> list[str]:
    used = {row_of(module, table) for module in modules(source)}
    return [pattern for pattern in table if pattern not in used]


@pytest.fixture(scope="module")
def table() -> Table:
    return read_table(ARCHITECTURE.read_text("utf-8"))


def test_every_import_is_allowed_by_the_table(table: Table) -> None:
    assert violations(SOURCE, table) == []


def test_every_module_stands_in_the_table(table: Table) -> None:
    assert unknown_modules(SOURCE, table) == []


def test_every_row_of_the_table_is_about_a_module_that_exists(table: Table) -> None:
    assert stale_rows(SOURCE, table) == []


def test_the_table_names_only_its_own_rows(table: Table) -> None:
    assert {name for allowed in table.values() for name in allowed} <= set(table)


def test_the_table_has_layers_and_no_circle(table: Table) -> None:
    try:
        TopologicalSorter(table).prepare()
    except CycleError as circle:
        pytest.fail(f"these rows may import each other: {circle.args[1]}")


def test_no_door_may_import_another(table: Table) -> None:
    base = {pattern: pattern.rstrip(".*") for pattern in table}
    pairs = {(base[a], base[b]) for a, allowed in table.items() for b in allowed}
    assert [pair for pair in pairs if DOORS.issuperset(pair)] == []


# The checks themselves, on a small package made for them.

SMALL_TABLE = """
| module | may import |
|---|---|
| `hallway` | nothing |
| `hallway.low` | nothing |
| `hallway.mid.**` | `hallway.low` |
| `hallway.high` | `hallway.mid.**`, `hallway.low` |
"""


def small(folder: Path, **changed: str) -> Path:
    files = {"__init__": "", "low": "", "mid/__init__": "", "mid/deep/__init__": "", "mid/deep/er": "", "high": ""}
    for name, text in {**files, **changed}.items():
        path = folder / PACKAGE / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def test_downward_imports_pass(tmp_path: Path) -> None:
    source = small(
        tmp_path,
        high="import hallway.mid\nfrom hallway import __version__, low",
        **{"mid/deep/er": "from .. import deep"},
    )
    assert violations(source, read_table(SMALL_TABLE)) == []


@pytest.mark.parametrize(
    "text",
    [
        "import hallway.high",
        "from hallway import high",
        "from hallway.high import thing",
        "from ... import high",
        "from ...high import thing",
        "def f():\n    from hallway.high import thing",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import hallway.high",
        "import importlib\nimportlib.import_module('hallway.high')",
    ],
)
def test_an_upward_import_is_found_wherever_it_stands(tmp_path: Path, text: str) -> None:
    line = text.count("\n") + 1
    source = small(tmp_path, **{"mid/deep/er": text})
    assert violations(source, read_table(SMALL_TABLE)) == [f"hallway.mid.deep.er:{line} imports hallway.high"]


def test_a_module_that_no_row_covers_is_found_and_so_is_its_import(tmp_path: Path) -> None:
    source = small(tmp_path, new="", high="import hallway.new")
    assert unknown_modules(source, read_table(SMALL_TABLE)) == ["hallway.new"]
    assert violations(source, read_table(SMALL_TABLE)) == ["hallway.high:1 imports hallway.new"]


def test_a_row_without_module_is_found(tmp_path: Path) -> None:
    gone = SMALL_TABLE + "| `hallway.gone.**` | `hallway.low` |\n"
    assert stale_rows(small(tmp_path), read_table(gone)) == ["hallway.gone.**"]


def test_the_most_specific_row_counts() -> None:
    rows: Table = dict.fromkeys(("a", "a.*", "a.b.**", "a.b.c", "a.b.d.*"), frozenset())
    expected = {
        "a": "a",
        "a.x": "a.*",
        "a.x.y": None,
        "a.b": "a.b.**",
        "a.b.x.y": "a.b.**",
        "a.b.c": "a.b.c",
        "a.b.d": "a.b.d.*",
        "a.b.d.e": "a.b.d.*",
        "a.b.d.e.f": "a.b.**",
    }
    assert {module: row_of(module, rows) for module in expected} == expected
