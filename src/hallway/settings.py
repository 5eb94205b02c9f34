"""Reads DIR/configuration.yaml, with secrets.yaml beside it, into one frozen and fully checked value.

Every problem is found in one go and told as `configuration.yaml:12: what is wrong, what is allowed`.
Devices, variables, groups, rules and pages are checked for their form alone: what they mean is for the home to judge.
It must not know doors, links or the store, nor open anything but these two files.
"""

from __future__ import annotations

import ipaddress
import re
import stat
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, NoReturn, TypeVar, get_args

from hallway.errors import InvalidConfiguration
from hallway.home.ids import DEVICE_ID, MAX_ID, object_id
from hallway.home.rules import MAX_LATE, Again
from hallway.home.values import Value
from hallway.yaml_lines import BrokenNode, MapNode, Node, Problem, Problems, ScalarNode, Unusable, compose, shortened
from hallway.yaml_readers import (
    Refused,
    Section,
    boolean,
    choice,
    did_you_mean,
    is_nothing,
    is_secret,
    line_of_text,
    list_of,
    number,
    refusal,
    shown,
    text,
    value_of,
    whole,
)

__all__ = [
    "ConfigurationError",
    "Entry",
    "HomeSettings",
    "HttpSettings",
    "LinkSettings",
    "LogSettings",
    "Problem",
    "ProcessSettings",
    "Settings",
    "StoreSettings",
    "UserSettings",
    "duration",
    "load",
    "size",
]

FILE: Final = "configuration.yaml"
SECRETS_FILE: Final = "secrets.yaml"
MAX_FILE_SIZE: Final = 4_000_000  # bytes: some 50,000 device lines

_SECONDS: Final = MappingProxyType({"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0})
_BYTES: Final = MappingProxyType(
    {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
)
_MEASURE: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?([A-Za-z]*)")
_ORIGIN: Final = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_HOST_NAME: Final = re.compile(r"(?=.{1,253}$)\w(?:[\w-]*\w)?(?:\.\w(?:[\w-]*\w)?)*\.?")

M = TypeVar("M", int, float)


class ConfigurationError(InvalidConfiguration):
    """The configuration cannot be used; `problems` holds all there is to mend, one line of the message each."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


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
class StoreSettings:
    """How often coalesced values are written, in seconds."""

    values_every: float = 5.0


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
    processes: tuple[ProcessSettings, ...] = ()
    links: tuple[LinkSettings, ...] = ()
    store: StoreSettings = StoreSettings()
    log: LogSettings = LogSettings()
    source: Path


@dataclass(frozen=True, slots=True)
class EntryShape:
    """The keys of an entry with their readers, those it needs (its id first), and whether a device class adds more."""

    keys: Mapping[str, Callable[[Node], Value]]
    needed: tuple[str, ...]
    example: str
    one_of: tuple[str, ...] = ()
    more: bool = False


def load(directory: Path, *, must_exist: bool = False) -> Settings:
    """The settings of a directory; all defaults when configuration.yaml is empty, or missing unless it must exist.

    Raises ConfigurationError with every problem that was found.
    """
    problems = Problems(FILE)
    source = directory / FILE
    try:
        written = _read_file(source, problems)
        if written is None and must_exist:
            what = f"there is no {FILE} in {directory}"
            problems.add(
                1, what, "make one: an empty file is enough to start, docs/configuration.md tells what it may hold"
            )
        secrets = _Secrets(directory / SECRETS_FILE, problems)
        node = None if written is None else compose(written, problems, secrets.read)
        settings = _settings(_root(node, problems), source)
    except Unusable:
        pass
    else:
        if not problems:
            return settings
    raise ConfigurationError(problems.in_order())


def _read_file(path: Path, problems: Problems) -> str | None:
    """The text of a file, None when there is none; Unusable when it cannot be read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            _unusable(problems, 1, f"{path} is not a file", "put a text file there or remove it")
        with path.open("rb") as file:
            data = file.read(MAX_FILE_SIZE + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        _unusable(problems, 1, f"{path} cannot be read ({error.strerror})", "check the path and its permissions")
    if len(data) > MAX_FILE_SIZE:
        allowed = f"at most {MAX_FILE_SIZE // 1_000_000} MB are allowed"
        _unusable(problems, 1, f"{path} is too large", allowed)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        _unusable(problems, line, f"byte 0x{data[error.start]:02x} is not UTF-8", "save the file as UTF-8")


def _unusable(problems: Problems, line: int, what: str, allowed: str) -> NoReturn:
    problems.add(line, what, allowed)
    raise Unusable


class _Secrets:
    """What stands for `!secret name`; secrets.yaml is read when the first one is asked for."""

    def __init__(self, path: Path, problems: Problems) -> None:
        self._path = path
        self._problems = problems
        self._known: dict[str, Node] | None = None
        self._readable = True

    def read(self, name: str, line: int) -> Node:
        """The secret as a node of that line; a broken one, with its problem noted, when there is none."""
        if self._known is None:
            self._known = self._load()
        secret = self._known.get(name)
        if isinstance(secret, ScalarNode) and not is_nothing(secret):
            return secret._replace(line=line, secret=name)
        if self._readable:
            self._report(name, line, self._known)
        return BrokenNode(line)

    def _report(self, name: str, line: int, known: Mapping[str, Node]) -> None:
        word = shortened(name)
        if not name:
            self._problems.add(line, "`!secret` stands alone", f"name a line of {SECRETS_FILE}: `!secret name`")
        elif name in known:
            self._problems.add(
                line, f"the secret {word} is not one text", f"give it in {SECRETS_FILE} as `{word}: text`"
            )
        else:
            allowed = f"add a line `{word}: …` to {self._path}{did_you_mean(name, known)}"
            self._problems.add(line, f"there is no secret {word}", allowed)

    def _load(self) -> dict[str, Node]:
        beside = self._problems.beside(SECRETS_FILE)
        try:
            written = _read_file(self._path, beside)
            node = None if written is None else compose(written, beside)
        except Unusable:
            self._readable = False
            return {}
        return _root(node, beside).node.entries


def _root(node: Node | None, problems: Problems) -> Section:
    if isinstance(node, MapNode):
        return Section(node, "", problems)
    if node is not None and not isinstance(node, BrokenNode) and not is_nothing(node):
        problems.add(node.line, "the file does not begin with a setting", "write lines such as `key: value`")
    return Section(MapNode({}, {}, 1), "", problems)


def _settings(root: Section, source: Path) -> Settings:
    settings = Settings(
        home=_home(root.section("home")),
        http=_http(root.section("http")),
        users=_users(root),
        devices=_entries(root, "devices"),
        variables=_entries(root, "variables"),
        groups=_entries(root, "groups"),
        rules=_entries(root, "rules"),
        pages=_entries(root, "pages"),
        processes=_processes(root),
        links=_links(root),
        store=_store(root.section("store")),
        log=_log(root.section("log")),
        source=source,
    )
    root.close()
    return settings


def _home(section: Section) -> HomeSettings:
    default = HomeSettings()
    settings = HomeSettings(
        name=section.take("name", line_of_text, default.name),
        latitude=section.take("latitude", number(-90, 90), default.latitude),
        longitude=section.take("longitude", number(-180, 180), default.longitude),
        elevation=section.take("elevation", number(-1000, 10000), default.elevation),
        time_zone=section.take("time_zone", _time_zone, default.time_zone),
        unit_system=section.take("unit_system", choice("metric", "imperial"), default.unit_system),
    )
    for given, missing in (("latitude", "longitude"), ("longitude", "latitude")):
        if section.has(given) and not section.has(missing):
            section.problems.add(section.line(given), f"home.{given} stands alone", f"give home.{missing} too")
    section.close()
    return settings


def _http(section: Section) -> HttpSettings:
    default = HttpSettings()
    settings = HttpSettings(
        host=section.take("host", _host, default.host),
        port=section.take("port", whole(1, 65535), default.port),
        api_password=section.take("api_password", line_of_text, default.api_password),
        max_body=section.take("max_body", _size("1 kB", "1 GB"), default.max_body),
        max_connections=section.take("max_connections", whole(1, 100_000), default.max_connections),
        request_timeout=section.take("request_timeout", _duration("100 ms", "1 h"), default.request_timeout),
        idle_timeout=section.take("idle_timeout", _duration("1 s", "24 h"), default.idle_timeout),
        announce=section.take("announce", _host, default.announce),
        open=section.take("open", boolean, default.open),
        cors_origins=tuple(section.take("cors_origins", list_of(_origin), [])),
    )
    section.close()
    return settings


def _users(root: Section) -> tuple[UserSettings, ...]:
    users: list[UserSettings] = []
    first: dict[str, int] = {}
    for section in root.sections("users", "{username: anna, password: !secret anna, role: admin}"):
        user = UserSettings(
            username=section.need("username", _username, ""),
            password=section.need("password", line_of_text, ""),
            role=section.need("role", line_of_text, ""),
        )
        section.close()
        _note_twice(section, "username", user.username, first)
        users.append(user)
    return tuple(users)


def _processes(root: Section) -> tuple[ProcessSettings, ...]:
    processes: list[ProcessSettings] = []
    first: dict[str, int] = {}
    default = ProcessSettings("", "")
    for section in root.sections("processes", "{name: Dropbox, match: dropbox}"):
        process = ProcessSettings(
            name=section.need("name", line_of_text, default.name),
            match=section.need("match", line_of_text, default.match),
            every=section.take("every", _duration("1 s", "24 h"), default.every),
        )
        section.close()
        _note_twice(section, "name", process.name and object_id(process.name), first)
        processes.append(process)
    return tuple(processes)


def _links(root: Section) -> tuple[LinkSettings, ...]:
    links: list[LinkSettings] = []
    first: dict[str, int] = {}
    default = LinkSettings("", "")
    for section in root.sections("links", "{type: homeassistant, host: 192.168.1.5}"):
        link = LinkSettings(
            type=section.need("type", choice("homeassistant"), default.type),
            host=section.need("host", _host, default.host),
            name=section.take("name", line_of_text, default.name),
            port=section.take("port", whole(1, 65535), default.port),
            api_password=section.take("api_password", line_of_text, default.api_password),
            announce=section.take("announce", _host, default.announce),
        )
        section.close()
        _note_twice(section, "host", link.host and f"{link.host.lower()}:{link.port}", first)
        links.append(link)
    return tuple(links)


def _store(section: Section) -> StoreSettings:
    settings = StoreSettings(section.take("values_every", _duration("100 ms", "1 h"), StoreSettings().values_every))
    section.close()
    return settings


def _log(section: Section) -> LogSettings:
    settings = LogSettings(section.take("level", choice("debug", "info", "warning", "error"), LogSettings().level))
    section.close()
    return settings


def _note_twice(section: Section, named_by: str, name: str, first: dict[str, int]) -> None:
    """Notes a name that stood before; an empty one was refused and is passed over."""
    line = section.node.line
    if name in first:
        what = f"{section.name}.{named_by} is {shown(section.node.entries[named_by])}, as in line {first[name]}"
        section.problems.add(line, what, "remove one or name it otherwise")
    elif name:
        first[name] = line


def _entries(root: Section, key: str) -> tuple[Entry, ...]:
    shape = ENTRY_SHAPES[key]
    named_by = shape.needed[0]
    entries: list[Entry] = []
    first: dict[str, int] = {}
    for section in root.sections(key, shape.example):
        config = _config(section, shape)
        entries.append(Entry(config, section.problems.where(section.node.line)))
        _note_twice(section, named_by, str(config.get(named_by) or ""), first)
    return tuple(entries)


def _config(section: Section, shape: EntryShape) -> dict[str, Value]:
    """The entry with its known keys first; what a device class adds follows as written."""
    config = {key: section.take(key, reader, None) for key, reader in shape.keys.items() if section.has(key)}
    for key in shape.needed:
        section.require(key)
    if shape.one_of and sum(key in config for key in shape.one_of) != 1:
        what = f"{section.name} needs {' or '.join(shape.one_of)}"
        section.problems.add(section.node.line, what, "give exactly one of them")
    if not shape.more:
        section.close()
        return config
    return config | {key: section.take(key, value_of, None) for key in section.node.entries if key not in config}


def duration(written: str) -> float:
    """`10 s`, `5 min`, `2 h`, `250 ms` or a number of seconds → seconds; ValueError for anything else."""
    return _measure(written, _SECONDS)


def size(written: str) -> int:
    """`10 MB`, `512 kB`, `1 MiB` or a number of bytes → bytes; ValueError for anything else."""
    return int(_measure(written, _BYTES))


def _measure(written: str, units: Mapping[str, float]) -> float:
    found = _MEASURE.fullmatch(written)
    factors = {"": 1.0} | {name.lower(): factor for name, factor in units.items()}
    if found is None or found[2].lower() not in factors:
        raise ValueError(f"{written[:40]!r} is not a number with one of the units {', '.join(units)}")
    return float(found[1]) * factors[found[2].lower()]


def _measured(parse: Callable[[str], M], kind: str, low: str, high: str) -> Callable[[Node], M]:
    lowest, highest = parse(low), parse(high)

    def read(node: Node) -> M:
        try:
            found = parse(text(node))
        except (ValueError, Refused):
            found = None
        if found is None or not lowest <= found <= highest:
            raise refusal(node, f"give {kind} from {low} to {high}")
        return found

    return read


def _duration(low: str, high: str) -> Callable[[Node], float]:
    return _measured(duration, "a time", low, high)


def _size(low: str, high: str) -> Callable[[Node], int]:
    return _measured(size, "a size", low, high)


def _host(node: Node) -> str:
    """The name or address of a machine, without a port."""
    host = text(node)
    if not _HOST_NAME.fullmatch(host) and not _is_address(host):
        raise refusal(
            node, "give a host name or an IP address alone, such as 192.168.1.5 (the port is a setting of its own)"
        )
    return host


def _origin(node: Node) -> str:
    """The origin of a page, as browsers name it."""
    origin = text(node)
    if not _ORIGIN.fullmatch(origin):
        raise refusal(node, "give where the page comes from, such as https://panel.example or http://10.0.0.2:8080")
    return origin


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _time_zone(node: Node) -> str:
    name = text(node)
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        near = did_you_mean("" if is_secret(node) else name, zoneinfo.available_timezones())
        raise refusal(node, f"give a time zone such as Europe/Amsterdam{near}") from None
    return name


def _username(node: Node) -> str:
    name = line_of_text(node)
    if ":" in name:
        raise refusal(node, "give a name without a colon: browsers cannot log in with one")
    return name


def _page_device(node: Node) -> Value:
    """`{deviceId: bed_light}`."""
    if not isinstance(node, MapNode) or node.entries.keys() != {"deviceId"}:
        raise refusal(node, "give a mapping such as {deviceId: bed_light}")
    return {"deviceId": _identifier(node.entries["deviceId"])}


def _identifier(node: Node) -> str:
    """An id: a number is taken as written."""
    written = text(node)
    if not DEVICE_ID.fullmatch(written) or len(written) > MAX_ID:
        hint = " without the $" if written.startswith("$") else ""
        raise refusal(node, f"give letters a-z, digits, - and _ only, at most {MAX_ID} of them{hint}")
    return written


def _list_of(read: Callable[[Node], Value]) -> Callable[[Node], Value]:
    return list_of(read)


ENTRY_SHAPES: Final = MappingProxyType(
    {
        "devices": EntryShape(
            keys={"id": _identifier, "name": line_of_text, "class": line_of_text},
            needed=("id", "class"),
            example="{id: bed_light, class: DummyDimmer}",
            more=True,
        ),
        "variables": EntryShape(
            keys={"name": _identifier, "value": value_of, "expression": text, "unit": line_of_text},
            needed=("name",),
            example="{name: answer, value: 42}",
            one_of=("value", "expression"),
        ),
        "groups": EntryShape(
            keys={
                "id": _identifier,
                "name": line_of_text,
                "devices": _list_of(_identifier),
                "rules": _list_of(_identifier),
                "variables": _list_of(_identifier),
            },
            needed=("id",),
            example="{id: lights, devices: [bed_light]}",
        ),
        "rules": EntryShape(
            keys={"id": _identifier, "name": line_of_text, "rule": text, "active": boolean, "logging": boolean}
            | {"again": choice(*get_args(Again)), "late": number(0, MAX_LATE)},
            needed=("id", "rule"),
            example='{id: night, rule: "when its 23:00 then turn bed_light off"}',
        ),
        "pages": EntryShape(
            keys={
                "id": _identifier,
                "name": line_of_text,
                "devices": _list_of(_page_device),
                "allowedRoles": _list_of(line_of_text),
            },
            needed=("id",),
            example="{id: start, devices: [{deviceId: bed_light}]}",
        ),
    }
)
