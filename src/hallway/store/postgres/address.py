"""The URL of a database, taken apart: `postgresql://user:password@host:port/database?schema=name`.

The password is for the connection alone: what is shown, logged or raised goes through here. It must not know asyncpg.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from hallway.errors import InvalidInput, Unavailable

SCHEMA: Final = "hallway"
PORT: Final = 5432
_SCHEMES: Final = ("postgresql", "postgres")
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_SSL: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_OPTIONS: Final = ("schema", "sslmode", "sslrootcert", "host")
_WAY: Final = "postgresql://USER:PASSWORD@HOST:5432/DATABASE"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is. host: a name, an address, or the directory of a socket; ssl: as in libpq's sslmode."""

    host: str
    port: int
    database: str
    user: str
    password: str | None = field(repr=False)
    schema: str = SCHEMA
    ssl: str | None = None
    ssl_root: str | None = None

    def __str__(self) -> str:
        """For people: without the password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.host.startswith("/"):
            return f"postgresql://{self.user}@/{self.database}?host={self.host}"
        return f"postgresql://{self.user}@{host}:{self.port}/{self.database}"

    @property
    def url(self) -> str:
        """All of it but the password, for those who are to write it down."""
        options = {"sslmode": self.ssl, "sslrootcert": self.ssl_root}
        if self.schema != SCHEMA:
            options["schema"] = self.schema
        given = urlencode({name: value for name, value in options.items() if value}, safe="/")
        return f"{self}{'&' if '?' in str(self) else '?'}{given}" if given else str(self)

    def without_password(self, text: str) -> str:
        """A text of somebody else's making, such as an error."""
        return text.replace(self.password, "***") if self.password else text


def read_address(url: str) -> Address:
    """The address that a URL means. InvalidInput: it means none; the message does not repeat it, for its password."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port or PORT
        given = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError as error:
        told = "its port is no number from 1 to 65535" if "ort" in str(error) else "a part of it cannot be read"
        raise InvalidInput(f"the URL of the database is wrong: {told}; write {_WAY}") from None
    if parts.scheme not in _SCHEMES:
        raise InvalidInput(f"the URL of the database is wrong: it must begin with postgresql://; write {_WAY}")
    options = dict(given)
    for name in options:
        if name not in _OPTIONS:
            raise InvalidInput(
                f"the URL of the database has an option {name!r} that is not known; there are {', '.join(_OPTIONS)}"
            )
    return _address(parts, port, options)


def _address(parts: SplitResult, port: int, options: dict[str, str]) -> Address:
    host = parts.hostname or options.get("host", "")
    database = unquote(parts.path.removeprefix("/"))
    user = unquote(parts.username or "")
    for what, found in (("host", host), ("database", database), ("user", user)):
        if not found or "\0" in found:
            raise InvalidInput(f"the URL of the database names no {what}; write {_WAY}")
    schema = options.get("schema", SCHEMA)
    if not _NAME.fullmatch(schema):
        raise InvalidInput(
            f"{schema!r} cannot be the schema of the database: at most 63 small letters, digits and _, no digit first"
        )
    ssl = options.get("sslmode")
    if ssl is not None and ssl not in _SSL:
        raise InvalidInput(f"sslmode={ssl} in the URL of the database is not known; there are {', '.join(_SSL)}")
    password = None if parts.password is None else unquote(parts.password)
    return Address(host, port, database, user, password, schema, ssl, options.get("sslrootcert"))


def need_driver() -> None:
    """Unavailable when the driver is not installed."""
    if find_spec("asyncpg") is None:
        raise Unavailable(
            "PostgreSQL needs the package asyncpg, which is not installed: pip install 'hallway[postgres]'"
        )
