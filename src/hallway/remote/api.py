"""Requests to a hub: the API object, and one function for each thing that a hub can be asked.

The functions log a failure and return an empty result; the API object raises. It must not know events or mirrors.
"""

import http.client
import json
import logging
import re
import selectors
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlencode

from .values import Data, HomeAssistantError, Json, JSONEncoder, RefusedError, State

METHOD_GET: Final = "get"
METHOD_POST: Final = "post"
METHOD_DELETE: Final = "delete"
SERVER_PORT: Final = 8123

_LOGGER = logging.getLogger(__name__)
_GOOD = (HTTPStatus.OK, HTTPStatus.CREATED)


class APIStatus(Enum):
    """What `validate_api` found."""

    OK = "ok"
    INVALID_PASSWORD = "invalid_password"  # noqa: S105 - the name of a status
    CANNOT_CONNECT = "cannot_connect"
    UNKNOWN = "unknown"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Response:
    """What the hub answered."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Json:
        """The body as JSON; ValueError when it is none."""
        return json.loads(self.content)


class _KeptConnection:
    """One thread's connection to the hub; it is closed when its thread is gone."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self.http = connection

    def usable(self) -> bool:
        """Whether it is open still: an idle connection on which something can be read was closed by the hub."""
        if self.http.sock is None:
            return False
        with selectors.DefaultSelector() as selector:
            selector.register(self.http.sock, selectors.EVENT_READ)
            return not selector.select(0)

    def __del__(self) -> None:
        self.http.close()


class API:
    """Where a hub is and its password; a call of it is one request. Threads may share it."""

    def __init__(
        self,
        host: str,
        api_password: str | None = None,
        port: int | None = None,
        use_ssl: bool = False,  # noqa: FBT002 - the signature that scripts know
        *,
        timeout: float = 5.0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """`timeout` is in seconds; `ssl_context` is for a hub whose certificate nobody else has signed."""
        if not re.fullmatch(r"[^\s/]+", host):
            raise HomeAssistantError(f"{host!r} is no host: give its name or address only, without http:// and path")
        if re.search(r"[\x00-\x1f\x7f]", api_password or ""):
            raise HomeAssistantError("the password holds a line break or another control character")
        self.host = host
        self.port = port or SERVER_PORT
        self.api_password = api_password
        self.timeout = timeout
        self.status: APIStatus | None = None
        self.base_url = f"http{'s' * use_ssl}://{f'[{host}]' if ':' in host else host}:{self.port}"
        self._ssl_context = (ssl_context or ssl.create_default_context()) if use_ssl else None
        self._kept = threading.local()

    def validate_api(self, force_validate: bool = False) -> bool:  # noqa: FBT002 - likewise
        """Whether the hub answers to the password: asked once, unless forced; `status` says more."""
        if self.status is None or force_validate:
            self.status = validate_api(self)
        return self.status == APIStatus.OK

    def __call__(self, method: str, path: str, data: Json = None) -> Response:
        """One request; `data` goes as JSON, with GET as query. HomeAssistantError when no answer comes."""
        method, body = method.upper(), None
        if data is not None and method == "GET":
            path += f"{'&' if '?' in path else '?'}{urlencode(data, doseq=True)}"
        elif data is not None:
            body = json.dumps(data, cls=JSONEncoder).encode()
        kept: _KeptConnection | None = getattr(self._kept, "connection", None)
        if kept is None or not kept.usable():
            kept = self._kept.connection = _KeptConnection(self.connection())
        try:
            answer = self.send(kept.http, method, path, body)
            return Response(answer.status, dict(answer.headers.items()), answer.read())
        except TimeoutError as error:
            self.close()
            raise HomeAssistantError(f"{self.base_url} did not answer within {self.timeout:g} s") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise HomeAssistantError(f"cannot talk to {self.base_url}: {str(error) or type(error).__name__}") from error

    def connection(self) -> http.client.HTTPConnection:
        """A new connection to the hub, not open yet, which is the caller's to close."""
        if self._ssl_context is None:
            return http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
        return http.client.HTTPSConnection(self.host, self.port, timeout=self.timeout, context=self._ssl_context)

    def send(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None
    ) -> http.client.HTTPResponse:
        """Send a request with the password on a connection; the answer, whose body is yet to be read."""
        headers: dict[str, Any] = {} if body is None else {"Content-Type": "application/json"}
        if self.api_password is not None:
            # hubs of 2014 read headers as Latin-1; what that cannot write can only be UTF-8
            latin = all(letter <= "\xff" for letter in self.api_password)
            headers["X-HA-Access"] = self.api_password.encode("latin-1" if latin else "utf-8")
        connection.request(method, quote(path, safe="/?&=%:;,+@!$'()*"), body, headers)
        return connection.getresponse()

    def close(self) -> None:
        """Give up the connection of the calling thread; its next request makes a new one."""
        self._kept.connection = None

    def __repr__(self) -> str:
        return f"<API {self.base_url}>"


def request(api: API, doing: str, method: str, *path: str, data: Json = None) -> Response:
    """The answer, if it is 200 or 201, else RefusedError; HomeAssistantError when none comes."""
    try:
        response = api(method, "/".join(("/api", *(quote(part, safe="") for part in path))), data)
    except HomeAssistantError as error:
        raise HomeAssistantError(f"Error {doing}: {error}") from error
    if response.status_code not in _GOOD:
        text = " ".join(response.text.split())[:300]
        raise RefusedError(f"Error {doing}: {response.status_code} - {text}", response.status_code)
    return response


def json_of(response: Response, doing: str) -> Json:
    """The JSON in an answer; HomeAssistantError when it is none."""
    try:
        return response.json()
    except (ValueError, RecursionError) as error:
        raise HomeAssistantError(f"Error {doing}: the answer is no JSON: {error}") from error


def fetch(api: API, doing: str, *path: str) -> Json:
    """The JSON that the hub answers to a GET; HomeAssistantError when there is none."""
    return json_of(request(api, doing, METHOD_GET, *path), doing)


def states_in(items: Json) -> list[State]:
    """The states in an answer of the hub; what is no state is left out."""
    return [state for item in items if (state := State.from_dict(item)) is not None] if isinstance(items, list) else []


class _LoggedFailure:
    """A HomeAssistantError ends the block, not the function: the log says what went wrong."""

    def __enter__(self) -> None:
        return

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        if isinstance(error, HomeAssistantError):
            _LOGGER.error("%s", error)
            return True
        return False


def validate_api(api: API) -> APIStatus:
    """Whether a hub answers there and takes the password."""
    try:
        status = api(METHOD_GET, "/api/").status_code
    except HomeAssistantError:
        return APIStatus.CANNOT_CONNECT
    known: dict[int, APIStatus] = {HTTPStatus.OK: APIStatus.OK, HTTPStatus.UNAUTHORIZED: APIStatus.INVALID_PASSWORD}
    return known.get(status, APIStatus.UNKNOWN)


def connect_remote_events(from_api: API, to_api: API) -> bool:
    """Have the hub `from_api` forward its events to the server `to_api`, which must answer as a hub does."""
    with _LoggedFailure():
        forward_events(from_api, to_api)
        return True
    return False


def forward_events(from_api: API, to_api: API) -> None:
    """The same, with HomeAssistantError when the hub refuses or cannot reach the server."""
    target = {"host": to_api.host, "api_password": to_api.api_password, "port": to_api.port}
    request(from_api, "setting up event forwarding", METHOD_POST, "event_forwarding", data=target)


def disconnect_remote_events(from_api: API, to_api: API) -> bool:
    """End what `connect_remote_events` began."""
    with _LoggedFailure():
        target = {"host": to_api.host, "port": to_api.port}
        request(from_api, "removing event forwarding", METHOD_DELETE, "event_forwarding", data=target)
        return True
    return False


def get_event_listeners(api: API) -> Json:
    """A list of `{"event": type, "listener_count": number}`; {} on failure."""
    with _LoggedFailure():
        return fetch(api, "fetching event listeners", "events")
    return {}


def fire_event(api: API, event_type: str, data: Data = None) -> bool:
    """Fire an event at the hub; whether it took it."""
    with _LoggedFailure():
        request(api, "firing event", METHOD_POST, "events", event_type, data=data)
        return True
    return False


def get_state(api: API, entity_id: str) -> State | None:
    """The state of one entity; None when the hub has none, or on failure."""
    with _LoggedFailure():
        try:
            return State.from_dict(fetch(api, "fetching state", "states", entity_id))
        except RefusedError as error:
            if error.status_code != HTTPStatus.NOT_FOUND:
                raise
    return None


def get_states(api: API) -> list[State]:
    """The states of all entities; [] on failure."""
    with _LoggedFailure():
        return fetch_states(api)
    return []


def fetch_states(api: API) -> list[State]:
    """The same, with HomeAssistantError on failure."""
    items = fetch(api, "fetching states", "states")
    if not isinstance(items, list):
        raise HomeAssistantError("Error fetching states: the answer is no list")
    return states_in(items)


def set_state(api: API, entity_id: str, new_state: object, attributes: Data = None) -> bool:
    """Set the state of an entity, or make the entity; its attributes are replaced. Whether the hub took it."""
    with _LoggedFailure():
        data = {"state": new_state, "attributes": attributes or {}}
        request(api, "changing state", METHOD_POST, "states", entity_id, data=data)
        return True
    return False


def is_state(api: API, entity_id: str, state: str) -> bool:
    """Whether the entity exists and has that state."""
    current = get_state(api, entity_id)
    return current is not None and current.state == state


def get_services(api: API) -> Json:
    """A list of `{"domain": name, "services": [names]}`; {} on failure."""
    with _LoggedFailure():
        return fetch(api, "fetching services", "services")
    return {}


def call_service(api: API, domain: str, service: str, service_data: Data = None) -> list[State]:
    """Call a service and wait for it; the states that changed meanwhile, [] on failure."""
    with _LoggedFailure():
        answer = request(api, "calling service", METHOD_POST, "services", domain, service, data=service_data)
        return states_in(json_of(answer, "calling service"))
    return []
