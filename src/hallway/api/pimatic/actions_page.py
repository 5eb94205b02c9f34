"""The page at `/api/actions`: every operation by area, with parameters, permission and examples that can be copied.

It works without its script, which only adds search and copying. It must not know what the operations do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from html import escape
from importlib import resources
from typing import Final
from urllib.parse import quote

from hallway.api.operations.base import Operation, Parameter
from hallway.home.values import Attributes, Value

ADDRESS: Final = "http://127.0.0.1:8123"
"""Stands in the examples; the script puts the right one in its place."""
_HERE: Final = "<!-- operations -->"
_OTHER_DOOR: Final = "Home Assistant API"
_BY_TYPE: Final[dict[str, Value]] = {
    "string": "text",
    "number": 1,
    "integer": 1,
    "boolean": True,
    "array": [],
    "object": {},
}


def actions_page(operations: Iterable[Operation]) -> bytes:
    """The whole page."""
    areas: dict[str, list[Operation]] = {}
    for operation in operations:
        areas.setdefault(operation.area or _OTHER_DOOR, []).append(operation)
    frame = resources.files("hallway").joinpath("web/actions.html").read_text("utf-8")
    return frame.replace(_HERE, "\n".join(_section(area, found) for area, found in areas.items())).encode()


def actions_script() -> bytes:
    """The script of the page."""
    return resources.files("hallway").joinpath("web/actions.js").read_bytes()


def _section(area: str, operations: Iterable[Operation]) -> str:
    title = escape(area[:1].upper() + area[1:])
    return f"<section><h2>{title}</h2>\n{''.join(map(_operation, operations))}</section>"


def _operation(operation: Operation) -> str:
    method = " ".join(operation.methods) if operation.route else "socket"
    words = " ".join((operation.area, operation.permission, *(known.name for known in operation.parameters)))
    route = f" <code>{escape(operation.route)}</code>" if operation.route else ""
    return (
        f'<details id="{escape(operation.name)}" data-words="{escape(words.lower())}">'
        f"<summary><b class=m>{escape(method)}</b>{escape(operation.name)}{route}"
        f"<span class=note>{escape(operation.description)}</span></summary><div>"
        f"{_table(operation)}{_facts(operation)}{''.join(map(_example, _examples(operation)))}</div></details>\n"
    )


def _table(operation: Operation) -> str:
    if not operation.parameters:
        return ""
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code><td>{escape(_type(known))}{'' if known.required else ', optional'}"
        f"<td>{escape(known.description)}"
        for name, known in _flat(operation.parameters)
    )
    return f"<table><tr><th>Parameter<th>Type<th>Meaning{rows}</table>"


def _flat(parameters: Iterable[Parameter], before: str = "") -> Iterator[tuple[str, Parameter]]:
    for known in parameters:
        yield f"{before}{known.name}", known
        yield from _flat(known.fields, f"{before}{known.name}.")


def _type(parameter: Parameter) -> str:
    kind = parameter.type or parameter.schema.get("type") or "any"
    choices = parameter.schema.get("enum")
    written = " or ".join(map(str, kind)) if isinstance(kind, list | tuple) else str(kind)
    return f"{written}: {' or '.join(map(str, choices))}" if isinstance(choices, list | tuple) else written


def _facts(operation: Operation) -> str:
    facts = [f"Also {escape(operation.free_data)}."] if operation.free_data else []
    if operation.result:
        kind = f" ({operation.result_type})" if operation.result_type else ""
        facts.append(f"Gives <code>{escape(operation.result)}</code>{escape(kind)}.")
    needs = f"<code>{escape(operation.permission)}</code>" if operation.permission else "no permission"
    return f"<p class=note>{' '.join((*facts, f'Needs {needs}.'))}</p>"


def _example(text: str) -> str:
    return f"<pre><code>{escape(text)}</code></pre>"


# ---------------------------------------------------------------------- examples


def _examples(operation: Operation) -> Iterator[str]:
    if operation.route:
        yield curl(operation)
    if operation.area:
        yield call(operation)


def curl(operation: Operation) -> str:
    """The operation as a command for a shell."""
    values = _values(operation.parameters)
    path = operation.route
    for known in operation.parameters:
        if known.where == "path":
            path = path.replace(f"{{{known.name}}}", quote(str(values.pop(known.name)), safe=""))
    method = operation.methods[0]
    login = "-u USER:PASSWORD" if operation.area else "-H 'X-HA-Access: PASSWORD'"
    parts = ["curl", login]
    if method == "GET":
        parts += ["-G"] if values else []
        parts += [f"--data-urlencode {_quoted(f'{name}={value}')}" for name, value in _query(values)]
    else:
        parts += [f"-X {method}"]
        parts += [f"-H 'Content-Type: application/json' -d {_quoted(_json(values))}"] if values else []
    return " ".join((*parts, _quoted(f"{ADDRESS}{path}")))


def call(operation: Operation) -> str:
    """The operation as a call over the socket, in JavaScript."""
    asked = {"id": "1", "action": operation.name, "params": _values(operation.parameters)}
    return f"socket.emit('call', {_json(asked)})"


def _values(parameters: Iterable[Parameter]) -> Attributes:
    """Something for each parameter that has to be there, or has an example."""
    return {known.name: _value(known) for known in parameters if known.required or known.example is not None}


def _value(parameter: Parameter) -> Value:
    if parameter.example is not None:
        return parameter.example
    if parameter.fields:
        return _values(parameter.fields)
    choices = parameter.schema.get("enum")
    if isinstance(choices, list | tuple) and choices:
        return str(choices[0])
    return _BY_TYPE.get(parameter.type, "text")


def _query(values: Attributes, before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        key = f"{before}[{name}]" if before else name
        if isinstance(value, dict):
            yield from _query(value, key)
        elif isinstance(value, list):
            yield from ((f"{key}[]", str(item)) for item in value)
        else:
            yield key, value if isinstance(value, str) else _json(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _quoted(text: str) -> str:
    """A text as one word of a shell."""
    escaped = text.replace("'", "'\\''")
    return f"'{escaped}'"
