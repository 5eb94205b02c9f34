"""Reads DIR/configuration.yaml, with secrets.yaml beside it, into one frozen and fully checked value.

Every problem is found in one go and told as `configuration.yaml:12: what is wrong, what is allowed`.
Definitions of devices, rules and the like are checked for their form alone: what they mean is for the home to judge.
It must not know doors, links or the store, nor open anything but these two files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, get_args

from hallway.errors import InvalidConfiguration
from hallway.home.ids import object_id
from hallway.home.rules import MAX_LATE, Again
from hallway.home.values import Value
from hallway.settings.files import SECRETS_FILE, Secrets, read_file, root_of
from hallway.settings.shapes import (
    BackupSettings,
    Entry,
    HistorySettings,
    HomeSettings,
    HttpSettings,
    LinkSettings,
    LogSettings,
    NotifySettings,
    ProcessSettings,
    Settings,
    StoreSettings,
    UserSettings,
)
from hallway.settings.values import (
    database_address,
    duration_between,
    host_name,
    identifier,
    notifier_name,
    origin,
    page_device,
    size_between,
    time_zone,
    username,
    web_address,
)
from hallway.settings.yaml_lines import Node, Problem, Problems, Unusable, compose
from hallway.settings.yaml_readers import (
    Section,
    boolean,
    choice,
    line_of_text,
    list_of,
    number,
    shown,
    text,
    value_of,
    whole,
)

FILE: Final = "configuration.yaml"


class ConfigurationError(InvalidConfiguration):
    """The configuration cannot be used; `problems` holds all there is to mend, one line of the message each."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


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
        written = read_file(source, problems)
        if written is None and must_exist:
            what = f"there is no {FILE} in {directory}"
            problems.add(
                1, what, "make one: an empty file is enough to start, docs/configuration.md tells what it may hold"
            )
        secrets = Secrets(directory / SECRETS_FILE, problems)
        node = None if written is None else compose(written, problems, secrets.read)
        settings = _settings(root_of(node, problems), source)
    except Unusable:
        pass
    else:
        if not problems:
            return settings
    raise ConfigurationError(problems.in_order())


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
        scenes=_entries(root, "scenes"),
        processes=_processes(root),
        links=_links(root),
        notify=_notify(root),
        store=_store(root.section("store")),
        history=_history(root.section("history")),
        backup=_backup(root.section("backup")),
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
        time_zone=section.take("time_zone", time_zone, default.time_zone),
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
        host=section.take("host", host_name, default.host),
        port=section.take("port", whole(1, 65535), default.port),
        api_password=section.take("api_password", line_of_text, default.api_password),
        max_body=section.take("max_body", size_between("1 kB", "1 GB"), default.max_body),
        max_connections=section.take("max_connections", whole(1, 100_000), default.max_connections),
        request_timeout=section.take("request_timeout", duration_between("100 ms", "1 h"), default.request_timeout),
        idle_timeout=section.take("idle_timeout", duration_between("1 s", "24 h"), default.idle_timeout),
        announce=section.take("announce", host_name, default.announce),
        open=section.take("open", boolean, default.open),
        cors_origins=tuple(section.take("cors_origins", list_of(origin), [])),
    )
    section.close()
    return settings


def _users(root: Section) -> tuple[UserSettings, ...]:
    users: list[UserSettings] = []
    first: dict[str, int] = {}
    for section in root.sections("users", "{username: anna, password: !secret anna, role: admin}"):
        user = UserSettings(
            username=section.need("username", username, ""),
            password=section.need("password", line_of_text, ""),
            role=section.need("role", line_of_text, ""),
            where=str(section.problems.where(section.line("role"))),
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
            every=section.take("every", duration_between("1 s", "24 h"), default.every),
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
            host=section.need("host", host_name, default.host),
            name=section.take("name", line_of_text, default.name),
            port=section.take("port", whole(1, 65535), default.port),
            api_password=section.take("api_password", line_of_text, default.api_password),
            announce=section.take("announce", host_name, default.announce),
        )
        section.close()
        _note_twice(section, "host", link.host and f"{link.host.lower()}:{link.port}", first)
        links.append(link)
    return tuple(links)


def _notify(root: Section) -> tuple[NotifySettings, ...]:
    notifiers: list[NotifySettings] = []
    first: dict[str, int] = {}
    for section in root.sections("notify", "{name: phone, url: https://ntfy.example/my-home, body: text}"):
        notifier = NotifySettings(
            name=section.need("name", notifier_name, ""),
            url=section.need("url", web_address, ""),
            body=section.take("body", choice("json", "text"), "json"),
        )
        section.close()
        _note_twice(section, "name", notifier.name, first)
        notifiers.append(notifier)
    return tuple(notifiers)


def _store(section: Section) -> StoreSettings:
    default = StoreSettings()
    settings = StoreSettings(
        values_every=section.take("values_every", duration_between("100 ms", "1 h"), default.values_every),
        url=section.take("url", database_address, default.url),
    )
    section.close()
    return settings


def _history(section: Section) -> HistorySettings:
    default = HistorySettings()
    kept = duration_between("1 h", "1000 y", "not at all")
    settings = HistorySettings(
        write_every=section.take("write_every", duration_between("1 s", "1 h"), default.write_every),
        states=section.take("states", kept, default.states),
        five_minutes=section.take("five_minutes", kept, default.five_minutes),
        hours=section.take("hours", kept, default.hours),
        days=section.take("days", kept, default.days),
        changes=section.take("changes", kept, default.changes),
        traces=section.take("traces", kept, default.traces),
        size=section.take("size", size_between("10 MB", "10000 GB", "no limit"), default.size),
        spool=section.take("spool", size_between("1 MB", "10000 GB"), default.spool),
    )
    section.close()
    return settings


def _backup(section: Section) -> BackupSettings:
    default = BackupSettings()
    settings = BackupSettings(
        every=section.take("every", duration_between("10 min", "1 y", "never"), default.every),
        keep=section.take("keep", whole(1, 1000), default.keep),
        directory=section.take("directory", line_of_text, default.directory),
        history=section.take("history", boolean, default.history),
    )
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


def _list_of(read: Callable[[Node], Value]) -> Callable[[Node], Value]:
    return list_of(read)


ENTRY_SHAPES: Final = MappingProxyType(
    {
        "devices": EntryShape(
            keys={"id": identifier, "name": line_of_text, "class": line_of_text},
            needed=("id", "class"),
            example="{id: bed_light, class: DummyDimmer}",
            more=True,
        ),
        "variables": EntryShape(
            keys={"name": identifier, "value": value_of, "expression": text, "unit": line_of_text},
            needed=("name",),
            example="{name: answer, value: 42}",
            one_of=("value", "expression"),
        ),
        "groups": EntryShape(
            keys={
                "id": identifier,
                "name": line_of_text,
                "devices": _list_of(identifier),
                "rules": _list_of(identifier),
                "variables": _list_of(identifier),
            },
            needed=("id",),
            example="{id: lights, devices: [bed_light]}",
        ),
        "rules": EntryShape(
            keys={"id": identifier, "name": line_of_text, "rule": text, "active": boolean, "logging": boolean}
            | {"again": choice(*get_args(Again)), "late": number(0, MAX_LATE)},
            needed=("id", "rule"),
            example='{id: night, rule: "when its 23:00 then turn bed_light off"}',
        ),
        "pages": EntryShape(
            keys={
                "id": identifier,
                "name": line_of_text,
                "devices": _list_of(page_device),
                "allowedRoles": _list_of(line_of_text),
            },
            needed=("id",),
            example="{id: start, devices: [{deviceId: bed_light}]}",
        ),
        "scenes": EntryShape(
            keys={"id": identifier, "name": line_of_text, "entities": value_of},
            needed=("id", "entities"),
            example="{id: dinner, entities: {light.bed_light: {state: on, brightness: 80}}}",
        ),
    }
)
