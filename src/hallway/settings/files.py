"""configuration.yaml and secrets.yaml as files: read, decoded, secrets put in their places.

It must not know which settings there are.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

from hallway.settings.yaml_lines import BrokenNode, MapNode, Node, Problems, ScalarNode, Unusable, compose, shortened
from hallway.settings.yaml_readers import Section, did_you_mean, is_nothing

SECRETS_FILE: Final = "secrets.yaml"
MAX_FILE_SIZE: Final = 4_000_000  # bytes: some 50,000 device lines


def read_file(path: Path, problems: Problems) -> str | None:
    """The text of a file, None when there is none; Unusable when it cannot be read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            _unusable(problems, 1, f"{path} is not a file", "put a text file there or remove it")
        with path.open("rb") as file:
            data = file.read(MAX_FILE_SIZE + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        _unusable(problems, 1, f"{path} cannot be read ({error.strerror})", "check the path and its permissions")
    if len(data) > MAX_FILE_SIZE:
        allowed = f"at most {MAX_FILE_SIZE // 1_000_000} MB are allowed"
        _unusable(problems, 1, f"{path} is too large", allowed)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        _unusable(problems, line, f"byte 0x{data[error.start]:02x} is not UTF-8", "save the file as UTF-8")


def _unusable(problems: Problems, line: int, what: str, allowed: str) -> NoReturn:
    problems.add(line, what, allowed)
    raise Unusable


class Secrets:
    """What stands for `!secret name`; secrets.yaml is read when the first one is asked for."""

    def __init__(self, path: Path, problems: Problems) -> None:
        self._path = path
        self._problems = problems
        self._known: dict[str, Node] | None = None
        self._readable = True

    def read(self, name: str, line: int) -> Node:
        """The secret as a node of that line; a broken one, with its problem noted, when there is none."""
        if self._known is None:
            self._known = self._load()
        secret = self._known.get(name)
        if isinstance(secret, ScalarNode) and not is_nothing(secret):
            return secret._replace(line=line, secret=name)
        if self._readable:
            self._report(name, line, self._known)
        return BrokenNode(line)

    def _report(self, name: str, line: int, known: Mapping[str, Node]) -> None:
        word = shortened(name)
        if not name:
            self._problems.add(line, "`!secret` stands alone", f"name a line of {SECRETS_FILE}: `!secret name`")
        elif name in known:
            self._problems.add(
                line, f"the secret {word} is not one text", f"give it in {SECRETS_FILE} as `{word}: text`"
            )
        else:
            allowed = f"add a line `{word}: …` to {self._path}{did_you_mean(name, known)}"
            self._problems.add(line, f"there is no secret {word}", allowed)

    def _load(self) -> dict[str, Node]:
        beside = self._problems.beside(SECRETS_FILE)
        try:
            written = read_file(self._path, beside)
            node = None if written is None else compose(written, beside)
        except Unusable:
            self._readable = False
            return {}
        return root_of(node, beside).node.entries


def root_of(node: Node | None, problems: Problems) -> Section:
    """The settings of a file; none when it holds something else, which is noted."""
    if isinstance(node, MapNode):
        return Section(node, "", problems)
    if node is not None and not isinstance(node, BrokenNode) and not is_nothing(node):
        problems.add(node.line, "the file does not begin with a setting", "write lines such as `key: value`")
    return Section(MapNode({}, {}, 1), "", problems)
