"""The yardstick: the least that a Python server can do for the same answers, on uvicorn as raw ASGI.

It compares a token, reads and writes JSON and keeps answers in one dictionary; it has no router, no model,
no checks and no store. What the hub costs above it is the price of being a hub.
It must not import the hub, nor learn a trick that the hub could not use.
"""

import argparse
import hmac
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import orjson
import uvicorn

JSON_TYPE: Final = (b"content-type", b"application/json")
PING: Final = b"data: ping\n\n"

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class RawApp:
    """GET, PUT, POST and PATCH of anything under a path, and `/api/stream` with an event for each POST.

    PUT keeps its body and GET answers it byte by byte, so that both servers of a comparison send the same.
    POST takes `{"state", "attributes"}`, answers the state as JSON and sends one event to every stream.
    PATCH takes `{"type", "valueOrExpression"}` and answers the variable as JSON.
    """

    def __init__(self, password: str, authorization: str) -> None:
        self._password = password.encode()
        self._authorization = authorization.encode()
        self._answers: dict[str, bytes] = {"/api/": b'{"message":"API running."}'}
        self._states: dict[str, dict[str, Any]] = {}
        self._streams: set[Send] = set()
        self._second = 0
        self._date = ""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if not self._may(scope["headers"]):
            await _answer(send, 401, b'{"message":"API password missing or incorrect."}')
            return
        path: str = scope["path"]
        method: str = scope["method"]
        if method == "GET":
            await self._get(path, receive, send)
        elif method == "POST":
            await self._post(path, await _body(receive), send)
        elif method == "PUT":
            self._answers[path] = await _body(receive)
            await _answer(send, 200, self._answers[path])
        elif method == "PATCH":
            await self._patch(path, await _body(receive), send)
        else:
            await _answer(send, 405, b"")

    def _may(self, headers: list[tuple[bytes, bytes]]) -> bool:
        for name, value in headers:
            if name == b"x-ha-access":
                return hmac.compare_digest(value, self._password)
            if name == b"authorization":
                return hmac.compare_digest(value, self._authorization)
        return False

    async def _get(self, path: str, receive: Receive, send: Send) -> None:
        body = self._answers.get(path)
        if body is not None:
            await _answer(send, 200, body)
        elif path == "/api/stream":
            await self._stream(receive, send)
        else:
            await _answer(send, 404, b'{"message":"State does not exist."}')

    async def _post(self, path: str, body: bytes, send: Send) -> None:
        report = orjson.loads(body)
        entity_id = path.rpartition("/")[2]
        old = self._states.get(path)
        now = self._now()
        new = {
            "attributes": report["attributes"],
            "entity_id": entity_id,
            "last_changed": now,
            "last_updated": now,
            "state": report["state"],
        }
        self._states[path] = new
        self._answers[path] = answer = orjson.dumps(new)
        if self._streams:
            await self._tell({"entity_id": entity_id, "new_state": new, "old_state": old}, now)
        await _answer(send, 201 if old is None else 200, answer)

    async def _patch(self, path: str, body: bytes, send: Send) -> None:
        given = orjson.loads(body)
        variable = {
            "name": path.rpartition("/")[2],
            "readonly": False,
            "type": given["type"],
            "value": given["valueOrExpression"],
            "unit": "",
        }
        self._answers[path] = answer = orjson.dumps({"variable": variable, "success": True})
        await _answer(send, 200, answer)

    async def _tell(self, data: dict[str, Any], now: str) -> None:
        event = {"event_type": "state_changed", "data": data, "origin": "LOCAL", "time_fired": now}
        chunk = {"type": "http.response.body", "body": b"data: " + orjson.dumps(event) + b"\n\n", "more_body": True}
        for stream in tuple(self._streams):
            await stream(chunk)

    async def _stream(self, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": PING, "more_body": True})
        self._streams.add(send)
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            self._streams.discard(send)

    def _now(self) -> str:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._date = time.strftime("%H:%M:%S %d-%m-%Y", time.gmtime(second))
        return self._date


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False):
        message = await receive()
        body += message.get("body", b"")
    return body


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [JSON_TYPE, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    """Serve on 127.0.0.1 until a signal ends it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.raw_app", description="The raw ASGI app alone.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--password", required=True, help="in X-HA-Access")
    parser.add_argument("--authorization", required=True, help="the whole value of that header")
    options = parser.parse_args()
    uvicorn.run(
        RawApp(options.password, options.authorization),
        host="127.0.0.1",
        port=options.port,
        http="httptools",
        loop="uvloop",
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
