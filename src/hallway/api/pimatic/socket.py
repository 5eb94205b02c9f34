"""The namespace of pimatic on Socket.IO: who comes in, what they are told first, what they call, what they hear.

It must not know how messages travel, nor what operations do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Coroutine, Mapping
from inspect import isawaitable
from typing import Any, Final, Literal

from hallway.access.callers import Caller, Permission
from hallway.access.entrance import Entrance
from hallway.api.cors import Origins
from hallway.api.operations.base import Operation
from hallway.api.operations.pimatic.forms import Forms
from hallway.api.operations.pimatic.kept import AUTHENTICATION
from hallway.api.operations.pimatic.recent import Recent
from hallway.api.pimatic.audience import Audience
from hallway.api.pimatic.calls import Calls
from hallway.api.pimatic.gathering import gather
from hallway.api.pimatic.greeting import Greeting
from hallway.api.pimatic.live import Live
from hallway.api.pimatic.packets import CONNECT, DISCONNECT, EVENT, OLD, ROOT, Incoming, connected, event, read, refused
from hallway.api.sockets import Handshake, Session
from hallway.errors import CannotStore, Forbidden, HallwayError, InvalidInput, Stale
from hallway.home.changes import AnyChange, Defined
from hallway.home.home import Home
from hallway.home.revisions import BeingMended
from hallway.home.values import Attributes, Value, check_texts, encode

log = logging.getLogger(__name__)

UNKNOWN: Final = "unauthorizied"
"""A wrong name or password, as pimatic spells it, and clients look for it."""
NO_SESSION: Final = "Authentication error"
NO_NAMESPACE: Final = "Invalid namespace"
NULL_IF_ABSENT: Final = frozenset(("getVariableByName",))
"""Calls whose result is null, rather than left out, when there is nothing of that name."""
MOST_CALLS = 100
_Task = Coroutine[Any, Any, None]


class PimaticSocket:
    """Speaks with the clients of the pimatic door. `accept` is for the transport."""

    def __init__(
        self,
        calls: Calls,
        entrance: Entrance,
        forms: Forms,
        recent: Recent,
        loop: asyncio.AbstractEventLoop,
        origins: Origins | None = None,
    ) -> None:
        home = calls.hub.home
        self.calls = calls
        self.greeting = Greeting(home, forms)
        self.audience = Audience(loop, self._crowd)
        self._live = Live(home, forms, recent, self.audience.tell)
        self._home: Home = home
        self._entrance = entrance
        self._origins = origins or Origins()
        self._members: set[Member] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        home.changes.subscribe(self._follow, Defined)

    def accept(self, session: Session, handshake: Handshake) -> Member:
        """Who speaks with a new client."""
        return Member(self, session, handshake)

    def announce(self, name: str, payload: Value, permission: Permission) -> None:
        """Tell something that is no change of the home (a discovery, the progress of an update)."""
        self._live.announce(name, payload, permission)

    def _crowd(self, there_is_one: bool) -> None:
        if there_is_one:
            self._live.start()
        else:
            self._live.stop()

    def run(self, work: _Task) -> asyncio.Task[None]:
        """Let something go on that has to be waited for."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # ------------------------------------------------------------------ who is it

    async def who(self, handshake: Handshake, said: Attributes) -> Caller:
        """Who comes: by what the client says, by its query, else by its session or password. Forbidden: a stranger."""
        people = self._entrance.people
        if not people.enabled:
            return people.nobody
        for given in (said, handshake.query):
            username, password = given.get("username"), given.get("password")
            if username and password:
                caller = await people.check(str(username), str(password), handshake.address)
                return _known(caller, UNKNOWN)
        head = dict(handshake.headers)
        self._origins.check(head.get(b"origin", b""), head.get(b"host", b""))
        authorization, cookie = head.get(b"authorization", b""), head.get(b"cookie", b"")
        visit = await self._entrance.check(authorization, cookie, handshake.address)
        return _known(visit.caller, NO_SESSION)

    def stamp(self, caller: Caller) -> object:
        """What is different as soon as that person or their role is."""
        people = self._entrance.people
        if not people.enabled:
            return None
        return people.caller(caller.name), people.stamp(caller.name)

    def join(self, member: Member, caller: Caller) -> None:
        """A client belongs to the namespace."""
        self._members.add(member)
        self.audience.join(member.session, caller)

    def leave(self, member: Member, caller: Caller) -> None:
        """It does not any more."""
        self._members.discard(member)
        self.audience.leave(member.session, caller)

    def _follow(self, change: AnyChange) -> None:
        if isinstance(change, Defined) and (
            change.kind in ("user", "role") or (change.kind == "setting" and change.key == AUTHENTICATION)
        ):
            self._home.changes.after(self.look_again)

    def look_again(self) -> None:
        """People, roles or the need of a login changed: whoever is not who they were comes in again, if they may."""
        for member in list(self._members):
            member.look_again()


def _known(caller: Caller | None, otherwise: str) -> Caller:
    if caller is None:
        raise Forbidden(otherwise)
    return caller


class Member:
    """One client. outside: not known yet, or refused; inside: greeted, hears and calls."""

    def __init__(self, socket: PimaticSocket, session: Session, handshake: Handshake) -> None:
        self.session = session
        self._socket = socket
        self._handshake = handshake
        self._caller: Caller | None = None
        self._stamp: object = None
        self._is_new = True
        self._under_way: set[asyncio.Task[None]] = set()
        self._state: Literal["outside", "at the door", "inside", "left"] = "outside"
        if session.revision == OLD:
            self._come_in({})

    # ------------------------------------------------------------------ of the transport

    def received(self, message: str) -> None:
        try:
            packet = read(message)
        except InvalidInput as error:
            log.info("a client sent what is not understood and was let go: %s", error)
            self.session.end()
            return
        if packet.namespace != ROOT:
            if packet.kind == CONNECT:
                self.session.send(refused(self.session.revision, packet.namespace, NO_NAMESPACE))
        elif packet.kind == CONNECT and self.session.revision != OLD:
            self._come_in(packet.data if isinstance(packet.data, dict) else {})
        elif packet.kind == DISCONNECT:
            self._leave()
        elif packet.kind == EVENT and self._state == "inside":
            self._event(packet)

    def greet(self) -> None:
        if self._caller is None or self._state != "inside":
            return
        first = (connected(self.session.revision, self.session.sid),) if self._is_new else ()
        self._is_new = False
        # what is told from now on is told after this
        self._socket.audience.flush()
        self.session.send(*first, *self._socket.greeting.of(self._caller), counted=False)

    def ended(self) -> None:
        self._leave()
        for task in self._under_way:
            task.cancel()

    # ------------------------------------------------------------------ coming and going

    def _come_in(self, said: Attributes) -> None:
        if self._state in ("outside", "left"):
            self._state = "at the door"
            self._let(self._find_out(said))

    async def _find_out(self, said: Attributes) -> None:
        try:
            caller = await self._socket.who(self._handshake, said)
        except HallwayError as error:
            self._state = "outside"
            sentence = error.message if error.message in (UNKNOWN, NO_SESSION) else NO_SESSION
            self.session.send(refused(self.session.revision, ROOT, sentence))
            return
        self._caller, self._stamp = caller, self._socket.stamp(caller)
        self._state = "inside"
        self._is_new = True
        self.session.trust()
        self._socket.join(self, caller)
        self.session.begin()

    def look_again(self) -> None:
        """Let it go unless it is still who it was."""
        if self._caller is not None and self._socket.stamp(self._caller) != self._stamp:
            self.session.end()

    def _leave(self) -> None:
        if self._caller is not None:
            self._socket.leave(self, self._caller)
            self._caller = None
        self._state = "left"

    def _let(self, work: _Task) -> None:
        task = self._socket.run(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    # ------------------------------------------------------------------ calls

    def _event(self, packet: Incoming) -> None:
        if not isinstance(packet.data, list) or len(packet.data) < 2 or packet.data[0] != "call":  # noqa: PLR2004
            return
        call = packet.data[1]
        if not isinstance(call, dict):
            return
        action = call.get("action")
        if not _can_be_written(call.get("id")):
            self._fail({}, "the id of a call cannot be written as JSON in UTF-8, so that no answer can name it")
        elif isinstance(action, str):
            self._call(action, call)
        else:
            self._fail(call, "a call has an action, like getDevices")

    def _call(self, action: str, call: Attributes) -> None:
        caller = self._caller
        if caller is None:
            return
        calls = self._socket.calls
        params = call.get("params")
        try:
            operation = calls.operation(action)
            calls.allow(operation, caller)
            check_texts(params)
            arguments = gather(operation, {}, params if isinstance(params, dict) else {}, None)
            if len(self._under_way) >= MOST_CALLS:
                self._fail(call, f"{MOST_CALLS} calls are under way already: wait for their results")
                return
            try:
                result = calls.start(operation, arguments, caller)
            except BeingMended:
                result = calls.result(operation, arguments, caller)
        except HallwayError as error:
            self._refuse(call, error)
        except Exception as error:  # noqa: BLE001 - a client gets an answer whatever is wrong with us
            self._failed(action, call, error)
        else:
            if isawaitable(result):
                self._let(self._finish(operation, call, result))
            else:
                self._succeed(action, operation.result, call, result)

    async def _finish(self, operation: Operation, call: Attributes, started: Awaitable[object]) -> None:
        action = operation.name
        try:
            told = await self._socket.calls.told(operation, started)
            self._succeed(action, operation.result, call, told)
        except HallwayError as error:
            self._refuse(call, error)
        except Exception as error:  # noqa: BLE001 - a client gets an answer whatever is wrong with us
            self._failed(action, call, error)

    def _failed(self, action: str, call: Attributes, error: Exception) -> None:
        log.error("the call %s failed", action, exc_info=error)
        self._fail(call, f"the hub failed at {action}; what happened stands in its log")

    def _succeed(self, action: str, name: str, call: Attributes, result: object) -> None:
        told: dict[str, object] = {}
        if result is not None or action in NULL_IF_ABSENT:
            told[name or "result"] = result
        self._answer({**_id(call), "success": True, "result": told})

    def _refuse(self, call: Attributes, error: HallwayError) -> None:
        if isinstance(error, Stale):
            told: dict[str, object] = {"success": False, "error": error.message, "conflict": error.details}
            self._answer({**_id(call), **told})
        else:
            self._fail(call, error.message)

    def _fail(self, call: Attributes, sentence: str) -> None:
        self._answer({**_id(call), "success": False, "error": sentence})

    def _answer(self, told: dict[str, object]) -> None:
        """The result of a call, after all that it led to."""
        self._socket.audience.flush()
        self.session.send(event("callResult", _written(told)))


def _id(call: Mapping[str, object]) -> dict[str, object]:
    return {"id": call["id"]} if "id" in call else {}


def _can_be_written(value: object) -> bool:
    try:
        encode(value)
    except CannotStore:
        return False
    return True


def _written(told: dict[str, object]) -> bytes:
    """The result of a call as JSON; when there are no words for it, that."""
    try:
        return encode(told)
    except CannotStore as error:
        return encode({**_id(told), "success": False, "error": f"the answer cannot be told: {error.message}"})
