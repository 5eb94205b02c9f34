"""What goes wrong with a database, said for people: what it is, and what they can do about it; never the password.

It must not know who asks for it, nor when it is tried again.
"""

from __future__ import annotations

import socket
import ssl
from typing import Final, NamedTuple

import asyncpg

from hallway.store.postgres.address import Address

FAILURES: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What a server that is away, refuses or goes down leads to."""
_AGAIN: Final = "the hub tries again by itself"
_LOST: Final = "the connection was lost"


class Said(NamedTuple):
    """What is said of errors of these kinds. told: instead of what the error itself says."""

    kinds: tuple[type[BaseException], ...]
    hint: str
    told: str | None = None


_SAID: Final = (
    Said(
        (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError),
        "mend user and password in the URL, or the server's pg_hba.conf",
    ),
    Said((asyncpg.InvalidCatalogNameError,), "make the database, or mend its name in the URL"),
    Said((asyncpg.InsufficientPrivilegeError,), "let the user make and write the schema"),
    Said(
        (asyncpg.ReadOnlySQLTransactionError,),
        f"let it take writes, or name the server that does in the URL; {_AGAIN}",
        "it can only be read now, as one that follows another",
    ),
    Said((asyncpg.DiskFullError,), "make room on the disk of the server"),
    Said((asyncpg.TooManyConnectionsError,), "the hub needs four connections"),
    Said(
        (asyncpg.exceptions.ClientConfigurationError,),
        "mend sslmode in the URL, or name the certificates there: sslrootcert=FILE",
    ),
    Said((asyncpg.InterfaceError, asyncpg.InternalClientError), _AGAIN, _LOST),
    Said(
        (ssl.SSLCertVerificationError,),
        "name the certificates that are, sslrootcert=FILE, or mend the host in the URL",
        "its certificate is not trusted",
    ),
    Said((ConnectionRefusedError,), _AGAIN, "nobody takes connections there"),
    Said((socket.gaierror,), f"mend it in the URL, or the network; {_AGAIN}", "there is no such host"),
    Said((TimeoutError,), _AGAIN, "no answer in time"),
    Said((asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, OSError), _AGAIN),
)
_NO_TLS: Final = Said((), "set that up on the server, or take sslmode=prefer in the URL", "it speaks no TLS")
_UNKNOWN: Final = Said((), "look into the log of the server")


def sentence(error: BaseException, address: Address, *, by_hand: bool = False) -> str:
    """What went wrong with the database, for people. by_hand: nobody tries again by himself."""
    told = address.without_password(_first_line(error))
    said = _said(error)
    hint = said.hint.replace(_AGAIN, "try again then") if by_hand else said.hint
    return f"the database {address} cannot be used: {said.told or told or type(error).__name__}; {hint}"


def is_for_somebody(error: BaseException) -> bool:
    """Whether somebody has to mend something: it is not over by itself."""
    return _AGAIN not in _said(error).hint


def _said(error: BaseException) -> Said:
    if isinstance(error, ConnectionError) and "rejected SSL" in _first_line(error):
        return _NO_TLS
    return next((each for each in _SAID if isinstance(error, each.kinds)), _UNKNOWN)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
