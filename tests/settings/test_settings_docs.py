"""What docs/configuration.md promises: it names every setting with its default, and its examples are real."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from hallway.settings import ENTRY_SHAPES, ConfigurationError, Entry, Settings, load

DOCS = (Path(__file__).parent.parent.parent / "docs" / "configuration.md").read_text("utf-8")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def read(home: Path, text: str, secrets: str | None = None) -> Settings:
    (home / "configuration.yaml").write_text(text, "utf-8")
    if secrets is not None:
        (home / "secrets.yaml").write_text(secrets, "utf-8")
    return load(home)


def problems(home: Path, text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read(home, text)
    return str(caught.value).splitlines()


def documented() -> dict[str, Mapping[str, str]]:
    """Section → key → default, as docs/configuration.md tells them."""
    sections: dict[str, Mapping[str, str]] = {}
    for part in DOCS.split("\n## ")[1:]:
        heading, _, body = part.partition("\n")
        rows = re.findall(r"^\| `(\w+)` \| (?:`(.+?)`|(\w+)) \|", body, re.MULTILINE)
        if rows:
            sections[heading] = {key: quoted or word for key, quoted, word in rows}
    return sections


def existing() -> dict[str, set[str]]:
    """Section → keys, as the dataclasses and the shapes of the entries have them."""
    sections: dict[str, set[str]] = {}
    for name, kind in get_type_hints(Settings).items():
        holds = get_args(kind)[0] if get_args(kind) else kind
        if holds is Entry:
            sections[name] = set(ENTRY_SHAPES[name].keys)
        elif dataclasses.is_dataclass(holds):
            # what does not count when two are compared is where they stand, and nobody sets it
            sections[name] = {field.name for field in dataclasses.fields(holds) if field.compare}
    return sections


def yaml_examples() -> Iterator[tuple[str, str]]:
    """(what the block is, its text)."""
    for block in re.findall(r"^```yaml\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL):
        first = block.partition("\n")[0]
        yield (first[2:] if first.startswith("# ") else "example"), block


def test_every_setting_is_documented_and_every_documented_setting_exists() -> None:
    assert {section: set(rows) for section, rows in documented().items()} == existing()


SMALLEST = {section: f"{section}: {{}}" for section in ("home", "http", "store", "history", "backup", "log")} | {
    "processes": "processes: [{name: a, match: b}]",
    "links": "links: [{type: homeassistant, host: h}]",
}


@pytest.mark.parametrize("section", SMALLEST)
def test_the_documented_defaults_are_the_defaults(home: Path, section: str) -> None:
    plain = read(home, SMALLEST[section])
    for key, default in documented()[section].items():
        if default == "none":
            assert getattr(first_of(plain, section), key) in (None, ())
        elif default != "needed":
            assert read(home, SMALLEST[section].replace("}", f", {key}: {default}}}").replace("{, ", "{")) == plain


def first_of(settings: Settings, section: str) -> object:
    return found[0] if isinstance(found := getattr(settings, section), tuple) else found


def test_needed_settings_are_documented_as_such(home: Path) -> None:
    for section in (*ENTRY_SHAPES, "users", "processes", "links", "notify"):
        needed = {key for key, default in documented()[section].items() if default == "needed"}
        said = [line for line in problems(home, f"{section}: [{{}}]") if " is missing, " in line]
        assert {line.split(" ")[1] for line in said} == {f"{section}.{key}" for key in needed}


def test_the_example_of_the_documentation_loads(home: Path) -> None:
    examples = dict(yaml_examples())
    settings = read(home, examples["example"], examples["secrets.yaml"])
    assert all(getattr(settings, section) for section in existing())
    assert settings.http.api_password == "correct horse battery"
    assert settings.users[1].password == "0412"
    assert settings.devices[1].config["xOffLabel"] == "off"


def test_the_messages_of_the_documentation_are_the_real_ones(home: Path) -> None:
    (said,) = re.findall(r"^```text\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)
    assert problems(home, dict(yaml_examples())["wrong"]) == said.splitlines()
