"""Every error that hallway raises on purpose, in one small tree.

Each carries a code for programs and a sentence for people: what, where, how to mend. It must not know HTTP beyond the
status that fits, nor any module of ours.
"""

# HallwayError                 code                status at a door
# ├─ InvalidInput              invalid_input       400   a value is missing, of the wrong kind or out of range
# │  ├─ InvalidConfiguration   invalid_config      400   a definition cannot be used as it stands
# │  └─ CannotStore            cannot_store        422   a value that JSON in UTF-8 cannot carry
# ├─ NotFound                  not_found           404   the thing named does not exist
# │  └─ NoValueYet             no_value_yet        404   it exists and has never had a value
# ├─ NotAllowed                not_allowed         401   who asks may not do this
# ├─ Forbidden                 forbidden           403   it may be known who asks, but not from there
# ├─ Conflict                  conflict            409   the thing exists already, or was changed meanwhile
# │  └─ Stale                  stale               409   it is other than who edits it knows; says how
# ├─ TooLarge                  too_large           413   more than the limit says
# ├─ TooManyTries              too_many_tries      429   too many wrong passwords; says when to try again
# ├─ Unreachable               unreachable         422   another server did not answer as it should
# └─ Unavailable               unavailable         503   the hub itself cannot serve this now

from collections.abc import Callable, Mapping
from typing import ClassVar


class HallwayError(Exception):
    """Base of all errors raised on purpose; `str(error)` is a sentence for people."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(HallwayError):
    """A value is missing, of the wrong kind or out of range."""

    code = "invalid_input"


class InvalidConfiguration(InvalidInput):
    """A definition (device, variable, group) cannot be used as it stands."""

    code = "invalid_config"


class CannotStore(InvalidInput):
    """A value that cannot be written as JSON in UTF-8 (lone surrogates, too deep)."""

    code = "cannot_store"
    status = 422


class NotFound(HallwayError):
    """The thing named does not exist."""

    code = "not_found"
    status = 404


class NoValueYet(NotFound):
    """An attribute exists and has never had a value."""

    code = "no_value_yet"


class NotAllowed(HallwayError):
    """Who asks may not do this."""

    code = "not_allowed"
    status = 401


class Forbidden(HallwayError):
    """It may be known who asks, but not from there."""

    code = "forbidden"
    status = 403


class Conflict(HallwayError):
    """The thing exists already, or was changed meanwhile."""

    code = "conflict"
    status = 409


class Stale(Conflict):
    """It is other than who edits it knows; details: what they knew, what is now, as JSON can carry it."""

    code = "stale"

    def __init__(self, message: str, details: Mapping[str, object]) -> None:
        super().__init__(message)
        self.details = details


class TooLarge(HallwayError):
    """More than the configured limit."""

    code = "too_large"
    status = 413


class TooManyTries(HallwayError):
    """Too many wrong passwords lately; seconds: when to try again."""

    code = "too_many_tries"
    status = 429

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


class Unreachable(HallwayError):
    """Another server did not answer as it should."""

    code = "unreachable"
    status = 422


class Unavailable(HallwayError):
    """The hub itself cannot serve this now."""

    code = "unavailable"
    status = 503


Told = Callable[[HallwayError | None], None]
"""Who is to be called once something has happened: with nothing, or with the error that keeps it from happening."""
