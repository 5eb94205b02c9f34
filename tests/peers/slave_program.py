"""A real Home Assistant slave, driven by lines of JSON: what the tests start with an interpreter of 2015.

It runs under Python 3.6 beside homeassistant 0.7 to 0.12, so it keeps to the syntax of that time and imports nothing
of this project. Its argument is a JSON object {directory, master: {host, port, password}, own: {the same keys}}.
A line in is {"do": NAME, ...arguments}, a line out {"result": ...} or {"error": TEXT}; the first one out tells that
the slave runs. It ends when its standard input is closed.
"""

import importlib
import json
import logging
import os
import sys
import time
import traceback
from typing import Any


class Slave:
    """The slave's `hass`, what its event bus has carried since the start and how its own services were called."""

    def __init__(self, settings: "dict[str, Any]") -> None:
        remote: Any = importlib.import_module("homeassistant.remote")
        bootstrap: Any = importlib.import_module("homeassistant.bootstrap")
        master, own = settings["master"], settings["own"]
        self.hass: Any = remote.HomeAssistant(remote.API(master["host"], master["password"], master["port"]))
        self.hass.config.config_dir = settings["directory"]
        self.heard: "list[dict[str, Any]]" = []
        self.calls: "list[dict[str, Any]]" = []
        self.hass.bus.listen("*", self._hear)
        http = {"server_host": own["host"], "server_port": own["port"], "api_password": own["password"]}
        if not bootstrap.setup_component(self.hass, "api", {"http": http, "api": {}}):
            raise RuntimeError("the slave's own http server cannot be set up")
        # it would announce the address of the machine's network card
        self.hass.config.api = remote.API(own["host"], own["password"], own["port"])
        self.hass.start()

    def _hear(self, event: Any) -> None:
        if event.event_type != "time_changed":
            self.heard.append({"type": event.event_type, "data": dict(event.data), "origin": str(event.origin)})

    def _called(self, call: Any) -> None:
        self.calls.append({"domain": call.domain, "service": call.service, "data": dict(call.data)})

    def do_states(self) -> Any:
        return {state.entity_id: state.as_dict() for state in self.hass.states.all()}

    def do_set_state(self, entity: str, state: str, attributes: "dict[str, Any]") -> None:
        self.hass.states.set(entity, state, attributes)

    def do_fire(self, event: str, data: "dict[str, Any]") -> None:
        self.hass.bus.fire(event, data)

    def do_heard(self) -> Any:
        return list(self.heard)

    def do_calls(self) -> Any:
        return list(self.calls)

    def do_call_service(self, domain: str, service: str, data: "dict[str, Any]") -> Any:
        started = time.time()
        executed = self.hass.services.call(domain, service, data, blocking=True)
        return {"executed": bool(executed), "seconds": time.time() - started}

    def do_register_service(self, domain: str, service: str) -> None:
        self.hass.services.register(domain, service, self._called)

    def do_stop(self) -> None:
        self.hass.stop()


def _plain(value: Any) -> Any:
    """States and dates inside event data in the form that JSON has for them."""
    return value.as_dict() if hasattr(value, "as_dict") else str(value)


def _say(line: "dict[str, Any]") -> None:
    sys.stdout.write(json.dumps(line, default=_plain) + "\n")
    sys.stdout.flush()


def _answer(slave: Slave, command: "dict[str, Any]") -> None:
    try:
        result = getattr(slave, "do_" + command.pop("do"))(**command)
    except Exception as error:  # noqa: BLE001 whatever homeassistant raises is the answer
        traceback.print_exc()
        _say({"error": repr(error)})
    else:
        _say({"result": result})


def main() -> None:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    try:
        slave = Slave(json.loads(sys.argv[1]))
    except Exception as error:  # noqa: BLE001 likewise
        traceback.print_exc()
        _say({"error": repr(error)})
    else:
        _say({"result": "runs"})
        for line in sys.stdin:
            _answer(slave, json.loads(line))
    sys.stderr.flush()
    # its worker threads are no daemons and would keep the process
    os._exit(0)


if __name__ == "__main__":
    main()
