"""The settings as values: one frozen shape for each section of configuration.yaml, with its defaults.

It must not know how they are written or read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hallway.home.values import Value

DAY: Final = 86_400.0
YEAR: Final = 365 * DAY


@dataclass(frozen=True, slots=True)
class HomeSettings:
    """The house itself. Without latitude and longitude (degrees) there is no sun; elevation is in metres."""

    name: str = "Home"
    latitude: float | None = None
    longitude: float | None = None
    elevation: float = 0.0
    time_zone: str = "UTC"
    unit_system: str = "metric"


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """The web server. Sizes are in bytes, times in seconds; `announce` is the host by which other hubs reach us.

    open: nobody needs a password, also not one that an earlier start kept; cors_origins: whose pages may use the API.
    """

    host: str = "127.0.0.1"
    port: int = 8123
    api_password: str | None = field(default=None, repr=False)
    max_body: int = 10_000_000
    max_connections: int = 1000
    request_timeout: float = 10.0
    idle_timeout: float = 75.0
    announce: str | None = None
    open: bool = False
    cors_origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UserSettings:
    """A person who may log in; the role is admin, resident, guest or any other name."""

    username: str
    password: str = field(repr=False)
    role: str
    where: str = field(default="", compare=False)
    """Where the role stands, as `file:line`."""


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """A watched process: does one run whose command line contains `match`? Looked at every so many seconds."""

    name: str
    match: str
    every: float = 10.0


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Another hub whose states are mirrored here; `announce` is the host by which it reaches us."""

    type: str
    host: str
    name: str | None = None
    port: int = 8123
    api_password: str | None = field(default=None, repr=False)
    announce: str | None = None


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """A web address that notifications are sent to; body: `json` or `text`."""

    name: str
    url: str = field(repr=False)
    body: str = "json"


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """How often coalesced values are written, in seconds; the address of a PostgreSQL database, if one is used."""

    values_every: float = 5.0
    url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """How often the past is written, and for how long each part of it is kept, in seconds; sizes are in bytes."""

    write_every: float = 10.0
    states: float = 30 * DAY
    five_minutes: float = 90 * DAY
    hours: float = 5 * YEAR
    days: float = 100 * YEAR
    changes: float = 28 * DAY
    traces: float = 28 * DAY
    size: int = 2 * 10**9
    spool: int = 10**9


@dataclass(frozen=True, slots=True)
class BackupSettings:
    """How often a backup is made (seconds, 0: never), how many are kept and where, and whether the past is in them."""

    every: float = DAY
    keep: int = 7
    directory: str = "backups"
    history: bool = False


@dataclass(frozen=True, slots=True)
class LogSettings:
    """How much is logged: debug, info, warning or error."""

    level: str = "info"


@dataclass(frozen=True, slots=True)
class Entry:
    """A device, variable, group, rule or page as written, with the place where it stands (`configuration.yaml:12`)."""

    config: dict[str, Value] = field(repr=False)  # may hold secrets
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of configuration.yaml; `source` is the file."""

    home: HomeSettings = HomeSettings()
    http: HttpSettings = HttpSettings()
    users: tuple[UserSettings, ...] = ()
    devices: tuple[Entry, ...] = ()
    variables: tuple[Entry, ...] = ()
    groups: tuple[Entry, ...] = ()
    rules: tuple[Entry, ...] = ()
    pages: tuple[Entry, ...] = ()
    scenes: tuple[Entry, ...] = ()
    processes: tuple[ProcessSettings, ...] = ()
    links: tuple[LinkSettings, ...] = ()
    notify: tuple[NotifySettings, ...] = ()
    store: StoreSettings = StoreSettings()
    history: HistorySettings = HistorySettings()
    backup: BackupSettings = BackupSettings()
    log: LogSettings = LogSettings()
    source: Path
