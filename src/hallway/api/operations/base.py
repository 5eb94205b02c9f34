"""What an operation is: name, route, parameters, permission, result, and the function that does it.

It must not know HTTP: a door gathers the parameters, checks the permission and writes the result.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, Protocol

import msgspec

from hallway.access.callers import Caller, Permission
from hallway.access.people import People
from hallway.api.operations.announcing import Announcements
from hallway.api.operations.pimatic.forms import Forms
from hallway.api.operations.pimatic.history import History
from hallway.api.operations.pimatic.kept import Kept
from hallway.errors import Told
from hallway.home.changes import Context
from hallway.home.home import Home
from hallway.home.messages import MessageBook
from hallway.home.past import Past
from hallway.home.revisions import Revisions
from hallway.home.values import Attributes, Value

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
DataType = Literal["string", "object", "integer", "number", "boolean", "array", ""]
"""A JSON type; empty: any."""
Schema = Mapping[str, object]
NO_SCHEMA: Final[Schema] = MappingProxyType({})


class Parameter(msgspec.Struct, frozen=True):
    """A parameter: where it stands, its JSON type, an example for the documentation, and the fields of an object.

    schema: what pimatic's own description of its API says of it beside type, fields and whether it is needed;
    beyond: pimatic does not have it, so that description has nothing of it;
    strict: a text that only begins with a number is none.
    """

    name: str
    where: Literal["path", "data"]
    description: str
    type: DataType = "string"
    required: bool = False
    example: Value = None
    fields: tuple[Parameter, ...] = ()
    schema: Schema = NO_SCHEMA
    beyond: bool = False
    strict: bool = False


class Ask(msgspec.Struct, frozen=True, gc=False):
    """One use of an operation: parameters of the path in order, all other data, and who asks.

    The operations of pimatic get all their parameters in `data`, those of the path too.
    """

    path: tuple[str, ...]
    data: Attributes
    caller: Caller


class Info(msgspec.Struct, frozen=True):
    """What the hub says about itself."""

    name: str
    version: str
    latitude: float | None
    longitude: float | None
    time_zone: str
    unit_system: Literal["metric", "imperial"]


class Forwarding(Protocol):
    """Hubs that events are forwarded to."""

    async def register(self, host: str, port: int, password: str, caller: Caller) -> None:
        """Forward all events there from now on, also after a restart. Unreachable: it did not answer as it should."""
        ...

    async def cancel(self, host: str, port: int, caller: Caller) -> None:
        """Forward nothing there any more; also right when nothing was."""
        ...


class Tell(Protocol):
    """What to do with an event that came over the network; link: the hub that tells, if it is one we follow."""

    def __call__(self, link: str, event_type: str, data: Attributes, context: Context) -> None: ...


class Durable(Protocol):
    """What keeps the changes of the home."""

    async def durable(self, seq: int) -> None:
        """Wait until everything up to that change is on the disk; Unavailable when it cannot be, just now."""
        ...

    def when_durable(self, seq: int, told: Told) -> None:
        """As `durable`, for those who would rather be called, possibly at once."""
        ...


class Edited:
    """The result of an edit that has been made: it may be told once everything up to that change is on the disk.

    A door either awaits it, or asks to be called `then`.
    """

    __slots__ = ("_seq", "_store", "result")

    def __init__(self, store: Durable, seq: int, result: object) -> None:
        self._store = store
        self._seq = seq
        self.result = result

    def then(self, told: Told) -> None:
        """Call when the result may be told, or what keeps it from that."""
        self._store.when_durable(self._seq, told)

    def __await__(self) -> Generator[Any, None, object]:
        yield from self._store.durable(self._seq).__await__()
        return self.result


class RuleAdvice(Protocol):
    """The language of rules, for those who write them: in the forms that pimatic's clients know."""

    def condition_hints(self, text: str, home: Home) -> Attributes:
        """How a condition is read and could go on."""
        ...

    def action_hints(self, text: str, home: Home) -> Attributes:
        """How actions are read and could go on."""
        ...

    def predicate_presets(self, home: Home) -> list[Attributes]:
        """Examples of conditions."""
        ...

    def predicate_info(self, text: str, class_name: str | None, home: Home) -> Attributes:
        """Of which parts a single condition is made. class_name: only of that kind."""
        ...

    def execute(self, text: str, home: Home, context: Context, *, simulate: bool, logging: bool) -> Value:
        """Do a single action, or tell what it would do; the sentence about it. InvalidInput: it is none."""
        ...


class RuleInsight(Protocol):
    """What runs the rules, for those who want to know why: in forms that can be sent as they are."""

    async def traces(self, rule_id: str, result: str | None, before: int, limit: int) -> list[Attributes]:
        """What a rule did and did not do, newest first; before: only traces with a lower number."""
        ...

    async def trace(self, trace_id: int) -> Attributes:
        """One trace. NotFound: it is not kept any more."""
        ...

    async def why(self, name: str) -> Attributes:
        """Why an attribute, a variable or an entity is as it is. NotFound: there is none."""
        ...

    def touches(self, name: str) -> Attributes:
        """What looks at a device, variable or entity, or acts on it. NotFound: there is none."""
        ...

    def upcoming(self, days: float) -> list[Attributes]:
        """What rules will do by the clock, in order."""
        ...

    def check(self, text: str) -> Attributes:
        """Whether a sentence is a rule, what is wrong with it and where, and what it names."""
        ...

    async def attempt(self, text: str, days: float, again: str) -> Attributes:
        """What a sentence would have done. InvalidInput: it is none; Unavailable: too many are tried already."""
        ...


class BackupDesk(Protocol):
    """What makes backups, in forms that can be sent as they are."""

    async def status(self) -> Attributes:
        """How backups are made, which there are, what became of the last one."""
        ...

    async def make(self, *, history: bool | None = None) -> Attributes:
        """Make one now; what became of it. Conflict: one is being made; Unavailable: why there is none."""
        ...


class Hub(msgspec.Struct, frozen=True):
    """What operations work on. told: takes an event that came in; restart: end and start again, if it can."""

    home: Home
    info: Info
    forwarding: Forwarding
    told: Tell
    components: Callable[[], list[str]]
    store: Durable
    people: People
    forms: Forms
    kept: Kept
    history: History
    messages: MessageBook
    rule_language: RuleAdvice | None = None
    rule_insight: RuleInsight | None = None
    revisions: Revisions | None = None
    backups: BackupDesk | None = None
    restart: Callable[[], None] | None = None
    past: Past | None = None
    past_status: Callable[[], Awaitable[Attributes]] | None = None
    announcements: Announcements = msgspec.field(default_factory=Announcements)


def always(_hub: Hub) -> bool:
    """An operation whose handler never gives something to await, other than the result of an edit."""
    return True


def never(_hub: Hub) -> bool:
    """An operation whose handler gives something to await, or a stream."""
    return False


class About(msgspec.Struct, frozen=True):
    """What an operation tells or edits: its kind, and the names of the parameters that lead to its id.

    fixed: the id where none is given; kind `home`: everything.
    """

    kind: str
    path: tuple[str, ...] = ()
    fixed: str = ""

    def key(self, arguments: Mapping[str, Value]) -> str:
        """The id; empty when it was not given."""
        if len(self.path) == 1:
            return str(arguments.get(self.path[0]) or "")
        found: Value = dict(arguments) if self.path else self.fixed
        for name in self.path:
            found = found.get(name) if isinstance(found, dict) else None
        return str(found or "")


Result = object
Handler = Callable[[Hub, Ask], Result | Awaitable[Result]]


class Operation(msgspec.Struct, frozen=True):
    """Something that can be asked of the hub.

    handler: gives the result, or something to await for it, and that of an edit as Edited; at_once: whether it gives
    the result now, or that of an edit; result: its name, for doors that write it and for the documentation (empty:
    none); result_type: its JSON type; area: its chapter there; free_data: what data beside the parameters means;
    open_ended: the path may go on after the last one; result_schema: what pimatic's own description of its API says of
    the result beside its type; about: the thing that it tells or edits, whose revision is told and may be asked for;
    streams: the content types of a result that comes in pieces and has no envelope; exact: parameters that it does not
    know are refused, not ignored.
    """

    name: str
    methods: tuple[Method, ...]
    route: str
    description: str
    permission: Permission
    result: str
    handler: Handler
    parameters: tuple[Parameter, ...] = ()
    free_data: str = ""
    area: str = ""
    result_type: DataType = ""
    at_once: Callable[[Hub], bool] = always
    open_ended: bool = False
    result_schema: Schema = NO_SCHEMA
    about: About | None = None
    streams: tuple[str, ...] = ()
    exact: bool = False
