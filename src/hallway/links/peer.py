"""Requests to another hub of the Home Assistant API of 2014, one after the other over one kept connection.

Blocking: to be used in a thread of its own (`line.Line`). It must not know what is said.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
from urllib.parse import quote

from hallway.errors import Unreachable
from hallway.home.values import Value, decode

TIMEOUT = 5.0
PASSWORD = "X-HA-access"  # noqa: S105 - the name of a header
HOPS = "X-Hallway-Hops"
MAX_ANSWER = 50_000_000
KIN = "hallway"
"""How a hub of our kind calls itself in the header Server."""
_CLOSED = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)


class Peer:
    """One other hub. Not for two threads at a time, but for `end` and `abort`.

    asked: how many requests were begun; reached: the address that was connected to last, empty before; is_kin: whether
    the last answer came from a hub of our kind.
    """

    def __init__(self, host: str, port: int, password: str) -> None:
        self.host = host
        self.port = port
        self.password = password
        self.asked = 0
        self.reached = ""
        self.is_kin = False
        self._address = host.removeprefix("[").removesuffix("]")
        self._connection: http.client.HTTPConnection | None = None
        self._aborted = False
        self._ended = False

    def ask(self, method: str, path: str, body: bytes | None = None, hops: str = "") -> tuple[int, bytes]:
        """Status and body of the answer. Unreachable: nothing came for five seconds."""
        if self._ended:
            raise Unreachable(f"the link to {self.host} port {self.port} has ended")
        headers = {PASSWORD: self.password.encode("utf-8", "replace").decode("latin-1")}
        if hops:
            headers[HOPS] = hops
        self.asked += 1
        self._aborted = False
        if self._connection is not None:
            try:
                return self._ask(method, path, body, headers)
            except _CLOSED as error:
                self.close()
                if self._aborted:
                    raise self._unreachable(error) from None
        return self._ask(method, path, body, headers, last=True)

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], *, last: bool = False
    ) -> tuple[int, bytes]:
        """Ask once. Unless it is the last try, that a kept connection was closed meanwhile is left to the caller."""
        try:
            return self._exchange(method, path, body, headers)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if isinstance(error, _CLOSED) and not last:
                raise
            self.close()
            raise self._unreachable(error) from None

    def _exchange(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = self._connection or self._connect()
        connection.request(method, quote(path), body, headers)
        answer = connection.getresponse()
        data = answer.read(MAX_ANSWER)
        if len(data) == MAX_ANSWER:
            raise http.client.HTTPException(f"its answer has more than {MAX_ANSWER} bytes")
        if answer.length or self._aborted:  # the library takes an answer that breaks off for a whole one
            raise http.client.HTTPException("its answer broke off")
        self.is_kin = answer.getheader("server") == KIN
        if answer.will_close:
            self.close()
        return answer.status, data

    def _connect(self) -> http.client.HTTPConnection:
        connection = self._connection = http.client.HTTPConnection(self._address, self.port, timeout=TIMEOUT)
        connection.connect()
        if connection.sock.getsockname() == connection.sock.getpeername():
            raise ConnectionRefusedError("nobody listens there")  # a port that was free connected to itself
        self.reached = str(connection.sock.getpeername()[0])
        return connection

    def _unreachable(self, error: Exception) -> Unreachable:
        if isinstance(error, ValueError):  # its text may hold the password
            why = "the password, the host or the path has signs that HTTP cannot carry"
        elif self._aborted:
            why = "its answer took too long"
        else:
            why = str(error) or type(error).__name__
        return Unreachable(f"{self.host} port {self.port} does not answer: {why}")

    def ask_json(self, method: str, path: str) -> Value:
        """The JSON of a good answer; Unreachable for every other."""
        status, data = self.ask(method, path)
        if status == http.client.UNAUTHORIZED:
            raise Unreachable(f"{self.host} port {self.port} does not take the password")
        if status != http.client.OK:
            raise Unreachable(f"{self.host} port {self.port} answered {status} to {method} {path}")
        return decode(data)

    def own_address(self) -> str:
        """The address by which that hub sees us."""
        try:
            with socket.create_connection((self._address, self.port), TIMEOUT) as there:
                return str(there.getsockname()[0])
        except (OSError, ValueError) as error:
            raise self._unreachable(error) from None

    def close(self) -> None:
        """Give up the connection; the next request makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def abort(self) -> None:
        """From any thread: let the request that is under way fail now."""
        self._aborted = True
        connection = self._connection
        with contextlib.suppress(OSError, AttributeError):  # it may be closing just now
            if connection is not None:
                connection.sock.shutdown(socket.SHUT_RDWR)

    @property
    def ended(self) -> bool:
        """Whether nothing more shall be asked."""
        return self._ended

    def end(self) -> None:
        """From any thread: ask nothing more; the request that is under way may come to its end."""
        self._ended = True
