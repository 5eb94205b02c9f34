# ruff: noqa: UP037 the annotations must not be evaluated by the interpreter of 2016
"""`homeassistant.remote` of some release, driven by lines of JSON: what the tests start with an interpreter of 2016.

It runs under Python 3.6 beside homeassistant 0.7 to 0.85, so it keeps to the syntax of that time and imports nothing of
this project. A line in is {"api": {host, port, password}, "call": FUNCTION, "arguments": [...]}, a line out {"result":
..., "logged": [texts of errors]} or {"error": TEXT}. Among the arguments stand {"a date": "2016-02-03T04:05:06"} for a
datetime in UTC, {"a state": [entity id, state]} for a State, {"a set": [...]} for a set, and {"an API": {...}}.
"""

import datetime as dt
import importlib
import json
import logging
import sys
from typing import Any


class Errors(logging.Handler):
    """What the client logs in place of raising it."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: "list[str]" = []

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.texts.append(record.getMessage())
        except TypeError:  # 0.7 itself logs a text as %d
            self.texts.append(str(record.msg) + " " + str(record.args))


class Client:
    def __init__(self) -> None:
        self.remote: Any = importlib.import_module("homeassistant.remote")
        self.core: Any = importlib.import_module("homeassistant.core")
        self.errors = Errors()
        logging.getLogger("homeassistant").addHandler(self.errors)
        logging.getLogger("homeassistant").propagate = False

    def api(self, address: "dict[str, Any]") -> Any:
        return self.remote.API(address["host"], address["password"], address["port"])

    def call(self, line: "dict[str, Any]") -> "dict[str, Any]":
        del self.errors.texts[:]
        api = self.api(line["api"])
        if line["call"] == "API.validate_api":
            return {"result": api.validate_api(), "logged": [], "status": str(api.status)}
        result = getattr(self.remote, line["call"])(api, *line["arguments"])
        return {"result": result, "logged": list(self.errors.texts)}

    def argument(self, value: "dict[str, Any]") -> Any:
        """What stands for a value that JSON does not have."""
        if "a date" in value:
            utc = dt.timezone.utc  # noqa: UP017 datetime.UTC came with Python 3.11
            return dt.datetime.strptime(value["a date"], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=utc)
        if "a state" in value:
            return self.core.State(*value["a state"])
        if "a set" in value:
            return set(value["a set"])
        return self.api(value["an API"]) if "an API" in value else value


def _plain(value: Any) -> Any:
    """States, and what else the client returns, in the form that JSON has for them."""
    if hasattr(value, "entity_id"):
        changed = value.last_changed.replace(tzinfo=None).isoformat()
        attributes = dict(value.attributes)
        return {"entity_id": value.entity_id, "state": value.state, "attributes": attributes, "last_changed": changed}
    return sorted(value) if isinstance(value, set) else str(value)


def main() -> None:
    client = Client()
    for line in sys.stdin:
        try:
            said = client.call(json.loads(line, object_hook=client.argument))
        except Exception as error:  # noqa: BLE001 whatever the client raises is the answer
            said = {"error": repr(error)}
        sys.stdout.write(json.dumps(said, default=_plain) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
