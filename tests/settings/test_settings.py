"""What hallway.settings promises: every setting is read, every mistake is told at once, with its line and a remedy."""

import dataclasses
import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hallway.errors import HallwayError
from hallway.home.values import Value, encode
from hallway.settings import (
    ENTRY_SHAPES,
    BackupSettings,
    ConfigurationError,
    Entry,
    HistorySettings,
    HomeSettings,
    HttpSettings,
    LinkSettings,
    LogSettings,
    Problem,
    ProcessSettings,
    Settings,
    StoreSettings,
    UserSettings,
    load,
)
from hallway.settings.values import duration, size


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def read(home: Path, text: str | bytes, secrets: str | None = None) -> Settings:
    (home / "configuration.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    if secrets is not None:
        (home / "secrets.yaml").write_text(secrets, "utf-8")
    return load(home)


def problems(home: Path, text: str | bytes, secrets: str | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read(home, text, secrets)
    assert str(caught.value).splitlines() == [str(problem) for problem in caught.value.problems]
    return [str(problem) for problem in caught.value.problems]


def problem(home: Path, text: str | bytes, secrets: str | None = None) -> str:
    (only,) = problems(home, text, secrets)
    return only


# What is read


@pytest.mark.parametrize("text", ["", "\n", "# nothing yet\n", "---\n", "~", "{}", "http:\nhome:\ndevices:\nlog:\n"])
def test_an_empty_file_means_all_defaults(home: Path, text: str) -> None:
    assert read(home, text) == Settings(source=home / "configuration.yaml")


def test_a_missing_file_means_all_defaults(home: Path) -> None:
    assert load(home) == Settings(source=home / "configuration.yaml")
    assert load(home / "not there") == Settings(source=home / "not there" / "configuration.yaml")


def test_a_missing_file_that_must_exist_is_an_error_that_says_how_to_make_one(home: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no configuration\.yaml in .*, make one: an empty file"):
        load(home, must_exist=True)
    (home / "configuration.yaml").touch()
    assert load(home, must_exist=True) == load(home)


def test_the_defaults() -> None:
    settings = Settings(source=Path("x"))
    assert settings.home == HomeSettings("Home", None, None, 0.0, "UTC", "metric")
    assert settings.http == HttpSettings("127.0.0.1", 8123, None, 10_000_000, 1000, 10.0, 75.0, None)
    assert settings.store == StoreSettings(5.0, None)
    day, year = 86400, 365 * 86400
    assert settings.history == HistorySettings(
        10, 30 * day, 90 * day, 5 * year, 100 * year, 28 * day, 28 * day, 2 * 10**9, 10**9
    )
    assert settings.backup == BackupSettings(day, 7, "backups", False)
    assert settings.log == LogSettings("info")
    assert dataclasses.astuple(settings)[2:10] == ((),) * 8


def test_every_section_is_read(home: Path) -> None:
    text = """\
home: {name: Huis, latitude: 52, longitude: -5.25, elevation: -3, time_zone: Europe/Amsterdam, unit_system: imperial}
http: {host: "::1", port: 80, api_password: geheim, max_body: 512 kB, max_connections: 7, request_timeout: 250 ms,
       idle_timeout: 2 min, announce: hub.local, cors_origins: [http://a]}
users:
  - {username: anna, password: 1234, role: admin}
  - {username: Jörg, password: "x y", role: grandparents}
processes:
  - {name: Dropbox, match: dropbox, every: 1 min}
  - {name: Backup, match: rsync}
links:
  - {type: homeassistant, name: Attic, host: 10.0.0.2, port: 8124, api_password: 0x1F, announce: 10.0.0.1}
  - {type: homeassistant, host: 10.0.0.2}
store: {values_every: 2.5, url: "postgresql://a:b@10.0.0.3/home"}
history: {write_every: 1 s, states: 1 w, five_minutes: 2 d, hours: 1 y, days: 0, changes: 3 d, traces: 2 h, size: 0,
          spool: 2 MB}
backup: {every: 0, keep: 2, directory: /mnt/stick, history: true}
log: {level: DEBUG}
"""
    settings = read(home, text)
    assert settings.home == HomeSettings("Huis", 52.0, -5.25, -3.0, "Europe/Amsterdam", "imperial")
    assert settings.http == HttpSettings("::1", 80, "geheim", 512_000, 7, 0.25, 120, "hub.local", False, ("http://a",))
    assert settings.users == (UserSettings("anna", "1234", "admin"), UserSettings("Jörg", "x y", "grandparents"))
    assert settings.processes == (ProcessSettings("Dropbox", "dropbox", 60.0), ProcessSettings("Backup", "rsync", 10.0))
    assert settings.links == (
        LinkSettings("homeassistant", "10.0.0.2", "Attic", 8124, "0x1F", "10.0.0.1"),
        LinkSettings("homeassistant", "10.0.0.2", None, 8123, None, None),
    )
    assert settings.store == StoreSettings(2.5, "postgresql://a:b@10.0.0.3/home")
    day = 86400
    assert settings.history == HistorySettings(1, 7 * day, 2 * day, 365 * day, 0, 3 * day, 7200, 0, 2 * 10**6)
    assert settings.backup == BackupSettings(0, 2, "/mnt/stick", True)
    assert settings.log == LogSettings("debug")


def test_entries_keep_their_configuration_and_their_line(home: Path) -> None:
    text = """\
devices:
  - {id: lamp, class: DummyDimmer, name: Lamp, steps: [1, 2.5, {deep: ~}]}

  - class: DummySwitch
    id: 7
variables: [{name: answer, value: 42, unit: "%"}, {name: sum, expression: $answer * 2}]
groups: [{id: g, devices: [lamp, 7], rules: [night], variables: [answer]}, {id: empty, devices: }]
rules: [{id: night, rule: when its 23 then log "x", active: off, logging: true, again: queue, late: 60}]
pages: [{id: p, name: P, devices: [{deviceId: lamp}], allowedRoles: [admin]}]
scenes: [{id: dinner, entities: {light.lamp: on, cover.c: {state: open}}}]
"""
    settings = read(home, text)
    lamp: dict[str, Value] = {"id": "lamp", "class": "DummyDimmer", "name": "Lamp", "steps": [1, 2.5, {"deep": None}]}
    assert settings.devices == (
        Entry(lamp, "configuration.yaml:2"),
        Entry({"id": "7", "class": "DummySwitch"}, "configuration.yaml:4"),
    )
    answer: dict[str, Value] = {"name": "answer", "value": 42, "unit": "%"}
    assert [entry.config for entry in settings.variables] == [answer, {"name": "sum", "expression": "$answer * 2"}]
    group: dict[str, Value] = {"id": "g", "devices": ["lamp", "7"], "rules": ["night"], "variables": ["answer"]}
    assert [entry.config for entry in settings.groups] == [group, {"id": "empty", "devices": []}]
    rule: dict[str, Value] = {"id": "night", "rule": 'when its 23 then log "x"', "active": False, "logging": True}
    assert [entry.config for entry in settings.rules] == [rule | {"again": "queue", "late": 60}]
    page: dict[str, Value] = {"id": "p", "name": "P", "devices": [{"deviceId": "lamp"}], "allowedRoles": ["admin"]}
    assert settings.pages == (Entry(page, "configuration.yaml:9"),)
    dinner: dict[str, Value] = {"id": "dinner", "entities": {"light.lamp": "on", "cover.c": {"state": "open"}}}
    assert [entry.config for entry in settings.scenes] == [dinner]


def test_settings_are_frozen_and_do_not_show_passwords(home: Path) -> None:
    text = """\
http: {api_password: hush}
users: [{username: a, password: hush, role: admin}]
links: [{type: homeassistant, host: h, api_password: hush}]
store: {url: "postgres://anna:hush@db/home"}
devices: [{id: a, class: C, token: hush}]
"""
    settings = read(home, text)
    assert settings.http.api_password == "hush"
    assert "hush" not in repr(settings)
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.http.port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("10 s", 10.0),
        ("5 min", 300.0),
        ("2 h", 7200.0),
        ("250 ms", 0.25),
        ("7", 7.0),
        ("0.5", 0.5),
        ("1.5h", 5400.0),
        ("3 d", 259_200.0),
        ("2 w", 1_209_600.0),
        ("1y", 31_536_000.0),
    ],
)
def test_durations_are_read_as_seconds(written: str, seconds: float) -> None:
    assert duration(written) == seconds


@pytest.mark.parametrize(
    ("written", "count"),
    [("10 MB", 10_000_000), ("512 kB", 512_000), ("7", 7), ("1.5 kb", 1500), ("2GB", 2 * 10**9), ("1 MiB", 2**20)],
)
def test_sizes_are_read_as_bytes(written: str, count: int) -> None:
    assert size(written) == count


@pytest.mark.parametrize("written", ["", "s", "10 x", "-1 s", "1,5 s", "1 MB s", "nan", "1e3", "9" * 400, "1  s"])
def test_anything_else_is_neither_duration_nor_size(written: str) -> None:
    with pytest.raises(ValueError, match="is not a number with one of the units ms, s, min, h, d, w, y"):
        duration(written)
    with pytest.raises(ValueError, match="is not a number with one of the units B, kB"):
        size(written)


def test_where_a_text_is_wanted_a_number_is_kept_as_written(home: Path) -> None:
    text = """\
http: {api_password: 0412}
users: [{username: 007, password: 1e5, role: 1}]
devices: [{id: 0815, class: C, name: 3.10}]
variables: [{name: 1, expression: 5}]
"""
    settings = read(home, text)
    assert settings.http.api_password == "0412"
    assert settings.users == (UserSettings("007", "1e5", "1"),)
    assert settings.devices[0].config == {"id": "0815", "class": "C", "name": "3.10"}
    assert settings.variables[0].config == {"name": "1", "expression": "5"}


def test_a_name_that_is_a_boolean_needs_quotes(home: Path) -> None:
    text = "devices: [{id: a, class: C, name: %s}]"
    assert read(home, text % "off").devices[0].config["name"] == "off"
    assert read(home, text % '"true"').devices[0].config["name"] == "true"
    said = 'configuration.yaml:1: devices.name is true, put quotes around it if it is a text: "true"'
    assert problem(home, text % "true") == said


@pytest.mark.parametrize(("word", "active"), [("true", True), ("Yes", True), ("ON", True), ("off", False)])
def test_boolean_settings_understand_yes_and_off(home: Path, word: str, active: object) -> None:
    assert read(home, f"rules: [{{id: a, rule: b, active: {word}}}]").rules[0].config["active"] is active


# What is refused

ID = "give letters a-z, digits, - and _ only, at most 255 of them"
HOST = "give a host name or an IP address alone, such as 192.168.1.5 (the port is a setting of its own)"
ORIGIN = "give where the page comes from, such as https://panel.example or http://10.0.0.2:8080"
HTTP_KEYS = ", ".join(field.name for field in dataclasses.fields(HttpSettings))
ROOT_KEYS = (
    "home, http, users, devices, variables, groups, rules, pages, scenes, processes, links, notify, "
    "store, history, backup, log"
)
ADDRESS = "give one such as postgresql://hallway:password@10.0.0.2/hallway, best as `!secret name`"
NOTIFIER = "give small letters, digits and _ only, and not notify, which reaches everybody"
WEB = "give one such as https://ntfy.example/my-home"
BELOW = "give settings below it, each as `key: value`"
PORT = "give a whole number from 1 to 65535"
ZONE = "give a time zone such as Europe/Amsterdam"
ANNA = "{username: anna, password: !secret anna, role: admin}"
QUOTE = "put quotes around it if it is a text"
AGAIN = "remove one or name it otherwise"
DEVICE_ID = "give a mapping such as {deviceId: bed_light}"
ONE = "give exactly one of them"
LOGIN = "give a name without a colon: browsers cannot log in with one"
CONTROL = "holds a line break, a tab or another control character"


@pytest.mark.parametrize(
    ("text", "what", "allowed"),
    [
        ("http:\n  prt: 1", "2: http.prt is not a setting", f"known are {HTTP_KEYS}, did you mean port?"),
        ("\nhtpp: {}", "2: htpp is not a setting", f"known are {ROOT_KEYS}, did you mean http?"),
        ("http: 8123", "1: http is 8123", BELOW),
        ("http:\n- port: 1", "2: http is a list", BELOW),
        ("http:\n\n  port: 99999", "3: http.port is 99999", PORT),
        ("http: {port: 0}", "1: http.port is 0", PORT),
        ("http: {port: 80.0}", "1: http.port is 80.0", PORT),
        ("http: {port: '80'}", '1: http.port is "80"', PORT),
        ("http: {port: 08123}", "1: http.port is 08123", f"{PORT}, without the leading zero: 8123"),
        ("http: {port: .inf}", "1: http.port is .inf", PORT),
        ("http:\n  api_password:", "2: http.api_password is empty", "give a text"),
        ("http: {api_password: ''}", "1: http.api_password is empty", "give a text"),
        ("http: {api_password: false}", "1: http.api_password is false", f'{QUOTE}: "false"'),
        ("http: {api_password: [hunter2]}", "1: http.api_password is a list", "give a text"),
        ('http: {api_password: "hunter\\t2"}', f"1: http.api_password {CONTROL}", "remove it"),
        ("http: {host: 'http://hub:80/'}", '1: http.host is "http://hub:80/"', HOST),
        ("http: {announce: -a}", "1: http.announce is -a", HOST),
        ("http: {cors_origins: [http://a, http://a/b]}", "1: http.cors_origins item 2 is http://a/b", ORIGIN),
        ("log:\n  level: &p info\nhttp:\n  port: *p", "4: http.port is info", PORT),
        ("http: {max_body: 10 XB}", "1: http.max_body is 10 XB", "give a size from 1 kB to 1 GB"),
        ("http: {request_timeout: 2 days}", "1: http.request_timeout is 2 days", "give a time from 100 ms to 1 h"),
        ("http: {idle_timeout: {}}", "1: http.idle_timeout is a mapping", "give a time from 1 s to 24 h"),
        ("home: {latitude: 90.1, longitude: 0}", "1: home.latitude is 90.1", "give a number from -90 to 90"),
        ("home: {latitude: 0, longitude: -181}", "1: home.longitude is -181", "give a number from -180 to 180"),
        ("home: {latitude: '52,1', longitude: 5}", '1: home.latitude is "52,1"', "give a number from -90 to 90"),
        ("home: {latitude: .nan, longitude: 5}", "1: home.latitude is .nan", "give a number from -90 to 90"),
        ("home:\n  longitude: 5", "2: home.longitude stands alone", "give home.latitude too"),
        ("home: {time_zone: europe/paris}", "1: home.time_zone is europe/paris", f"{ZONE}, did you mean Europe/Paris?"),
        ("home: {time_zone: ../../etc/passwd}", "1: home.time_zone is ../../etc/passwd", ZONE),
        ("home: {unit_system: us}", "1: home.unit_system is us", "give metric or imperial"),
        ("log: {level: warn}", "1: log.level is warn", "give debug or info or warning or error, did you mean warning?"),
        ("store: {values_every: 1 ms}", "1: store.values_every is 1 ms", "give a time from 100 ms to 1 h"),
        ("store: {url: http://hush}", "1: store.url is no address of a PostgreSQL database", ADDRESS),
        (
            "history: {states: 1 min}",
            "1: history.states is 1 min",
            "give a time from 1 h to 1000 y, or 0 for not at all",
        ),
        ("history: {size: 1 MB}", "1: history.size is 1 MB", "give a size from 10 MB to 10000 GB, or 0 for no limit"),
        ("notify: [{name: Phone, url: http://a}]", "1: notify.name is Phone", NOTIFIER),
        ("notify: [{name: notify, url: http://a}]", "1: notify.name is notify", NOTIFIER),
        ("notify: [{name: a, url: ftp://hush}]", "1: notify.url is no web address", WEB),
        ("notify: [{name: a, url: http://a}, {name: a, url: http://b}]", "1: notify.name is a, as in line 1", AGAIN),
        ("notify: [{name: a, url: http://a, body: xml}]", "1: notify.body is xml", "give json or text"),
        ("scenes: [{id: a}]", "1: scenes.entities is missing", "give it: `entities: …`"),
        ("history: {spool: 0}", "1: history.spool is 0", "give a size from 1 MB to 10000 GB"),
        ("backup: {every: 1 s}", "1: backup.every is 1 s", "give a time from 10 min to 1 y, or 0 for never"),
        ("users: anna", "1: users is anna", "give a list"),
        ("users:\n- anna", "2: users item 1 is anna", f"give a mapping such as {ANNA}"),
        ("users:\n- {username: a, password: b}", "2: users.role is missing", "give it: `role: …`"),
        ("users: [{username: 'a:b', password: c, role: d}]", '1: users.username is "a:b"', LOGIN),
        ("processes: [{name: a}]", "1: processes.match is missing", "give it: `match: …`"),
        ("links: [{type: mqtt, host: a}]", "1: links.type is mqtt", "give homeassistant"),
        ("links: [{type: homeassistant}]", "1: links.host is missing", "give it: `host: …`"),
        ("devices:\n- {id: a}", "2: devices.class is missing", "give it: `class: …`"),
        ("devices:\n- {class: a}", "2: devices.id is missing", "give it: `id: …`"),
        ("devices: [{id: a, class: [b]}]", "1: devices.class is a list", "give a text"),
        ("devices: [{id: a, class: b, c: .nan}]", "1: devices.c holds the number .nan", QUOTE),
        ("devices: [{id: küche, class: C}]", "1: devices.id is küche", ID),
        ("devices: [{id: " + "a" * 256 + ", class: C}]", f"1: devices.id is {'a' * 40}…", ID),
        ("variables: [{name: $a, value: 1}]", "1: variables.name is $a", f"{ID} without the $"),
        ("variables: [{value: 1}]", "1: variables.name is missing", "give it: `name: …`"),
        ("variables: [{name: a}]", "1: variables needs value or expression", ONE),
        ("variables: [{name: a, value: 1, expression: 2}]", "1: variables needs value or expression", ONE),
        ("log: {level: info, colour: 1}", "1: log.colour is not a setting", "known are level"),
        ("rules: [{id: r}]", "1: rules.rule is missing", "give it: `rule: …`"),
        ("rules: [{id: r, rule: x, active: maybe}]", "1: rules.active is maybe", "give true or false"),
        ("groups:\n- id: g\n  devices:\n  - a\n  - {b: c}", "5: groups.devices item 2 is a mapping", "give a text"),
        ("groups: [{id: g, devices: a}]", "1: groups.devices is a", "give a list"),
        ("pages: [{id: p, devices: [a]}]", "1: pages.devices item 1 is a", DEVICE_ID),
    ],
)
def test_a_wrong_setting_is_told_with_its_line(home: Path, text: str, what: str, allowed: str) -> None:
    assert problem(home, text) == f"configuration.yaml:{what}, {allowed}"


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("users: [{username: a, password: b, role: c}", "{username: a, password: d, role: e}]", "users.username is a"),
        ("links: [{type: homeassistant, host: A}", "{type: homeassistant, host: a, port: 8123}]", "links.host is a"),
        ("variables: [{name: a, value: 1}", "{name: a, expression: 2}]", "variables.name is a"),
        ("groups: [{id: a}", "{id: a, name: b}]", "groups.id is a"),
        ("devices: [{id: a, class: b}", "{class: c, id: a}]", "devices.id is a"),
        ("processes: [{name: My app, match: a}", "{name: my-app, match: b}]", "processes.name is my-app"),
    ],
)
def test_what_is_named_twice_is_told_with_both_lines(home: Path, first: str, second: str, said: str) -> None:
    expected = f"configuration.yaml:3: {said}, as in line 1, remove one or name it otherwise"
    assert problem(home, f"{first},\n\n{second}") == expected


def test_all_problems_are_told_at_once_in_the_order_of_their_lines(home: Path) -> None:
    text = """\
log: {level: loud}
devices:
  - {id: a b, class: C, x: .nan, y: *nobody}
  - {id: c}
  - foo
http:
  port: 0
  port: 1
  api_password: !secret door
home: !!set {a}
groups: [{id: g, devices: [1, {}, 2, []]}]
"""
    found = problems(home, text, secrets="dor: x\n")
    places = [" ".join(line.removeprefix("configuration.yaml:").split(" ")[:2]) for line in found]
    assert places == [
        *("1: log.level", "3: nothing", "3: devices.id", "3: devices.x", "4: devices.class", "5: devices"),
        *("7: http.port", "8: port", "9: there", "10: the", "11: groups.devices", "11: groups.devices"),
    ]


def test_after_a_hundred_problems_reading_stops(home: Path) -> None:
    found = problems(home, "".join(f"key{number}: 1\n" for number in range(50_000)))
    assert len(found) == 101
    assert found[-1] == "configuration.yaml:100: reading stopped after 100 problems, mend these first"


def test_a_problem_carries_its_parts_and_the_error_is_one_of_hallway(home: Path) -> None:
    with pytest.raises(HallwayError) as caught:
        read(home, "http: {port: 0}")
    assert isinstance(caught.value, ConfigurationError)
    assert caught.value.code == "invalid_config"
    assert caught.value.problems == (Problem("configuration.yaml:1", "http.port is 0", PORT),)


# Secrets


def test_secrets_stand_for_values_anywhere(home: Path) -> None:
    text = """\
http: {api_password: !secret door, port: !secret port}
users: [{username: anna, password: !secret anna, role: admin}]
devices: [{id: a, class: C, keys: [!secret door, {n: !secret port, t: !secret quoted}]}]
"""
    settings = read(home, text, "door: hush\nport: 8200\nanna: 0042\nquoted: '8200'\n")
    assert settings.http == HttpSettings(port=8200, api_password="hush")
    assert settings.users[0].password == "0042"
    assert settings.devices[0].config["keys"] == ["hush", {"n": 8200, "t": "8200"}]


def test_secrets_are_not_read_when_none_is_asked_for(home: Path) -> None:
    assert read(home, "", "{{ nonsense").devices == ()


@pytest.mark.parametrize(
    ("text", "secrets", "said"),
    [
        ("\nlog: {level: !secret a}", "b: c", "configuration.yaml:2: there is no secret a, add a line `a: …` to "),
        ("log: {level: !secret levle}", "level: info", "secrets.yaml, did you mean level?"),
        ("log: {level: !secret a}", None, "configuration.yaml:1: there is no secret a, add a line `a: …` to "),
        ("log: {level: !secret a}", "", "configuration.yaml:1: there is no secret a, add a line `a: …` to "),
        ("log: {level: !secret }", "a: b", "configuration.yaml:1: `!secret` stands alone, name a line of secrets.yaml"),
        ("log: {level: !secret a}", "a: [b]", "configuration.yaml:1: the secret a is not one text, give it in secrets"),
        ("log: {level: !secret a}", "a:", "configuration.yaml:1: the secret a is not one text, give it in secrets"),
        ("log: {level: !secret a}", "\na: b: c", "secrets.yaml:2: this is not YAML"),
        ("log: {level: !secret a}", "a: info\na: info", "secrets.yaml:2: a is given twice, first in line 1"),
        ("log: {level: !secret a}", "a: info\nb: !secret a", "secrets.yaml:2: the tag !secret cannot be used here"),
        ("log: {!secret a: info}", "a: level", "configuration.yaml:1: this key is not a text"),
    ],
)
def test_a_secret_that_cannot_be_had_is_told(home: Path, text: str, secrets: str | None, said: str) -> None:
    assert said in problem(home, text, secrets)


@pytest.mark.parametrize(
    "text",
    [
        "http: {port: !secret a}",
        "http: {host: !secret a}",
        "http: {max_body: !secret a}",
        "http: !secret a",
        "home: {latitude: !secret a, longitude: 1}",
        "home: {time_zone: !secret a}",
        "log: {level: !secret a}",
        "users: [!secret a]",
        "devices: [{id: !secret a, class: C}]",
        "rules: [{id: a, rule: b, active: !secret a}]",
        "pages: [{id: a, devices: [!secret a]}]",
        "users: [{username: !secret a, password: b, role: c}, {username: !secret a, password: b, role: c}]",
    ],
)
def test_messages_name_a_secret_and_never_show_it(home: Path, text: str) -> None:
    said = problem(home, text, "# once\n\na: hunter 2\n")
    assert said.startswith("configuration.yaml:1: ")
    assert "is the secret a, " in said
    assert "hunter" not in said


# Files


def test_a_byte_order_mark_and_windows_line_ends_are_fine(home: Path) -> None:
    assert read(home, b"\xef\xbb\xbfhttp:\r\n  port: 80\r\n").http.port == 80


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"home:\n  name: K\xfcche\n", "configuration.yaml:2: byte 0xfc is not UTF-8, save the file as UTF-8"),
        ("home: {}".encode("utf-16"), "configuration.yaml:1: byte 0xff is not UTF-8, save the file as UTF-8"),
        (b"\x00" * 10, "configuration.yaml:1: the sign U+0000 is not allowed in YAML, remove it"),
    ],
)
def test_a_file_that_is_not_utf_8_is_told(home: Path, data: bytes, said: str) -> None:
    assert problem(home, data) == said


def test_a_file_of_5_mb_is_told(home: Path) -> None:
    assert problem(home, b"#" * 5_000_000).endswith("configuration.yaml is too large, at most 4 MB are allowed")


@pytest.mark.parametrize("name", ["configuration.yaml", "secrets.yaml"])
def test_a_directory_a_pipe_or_a_link_to_itself_in_place_of_a_file_is_told(home: Path, name: str) -> None:
    (home / "configuration.yaml").write_text("log: {level: !secret a}")
    path = home / name
    path.unlink(missing_ok=True)
    path.mkdir()
    said = rf"^{name}:1: {re.escape(str(path))} is not a file, put a text file there or remove it$"
    with pytest.raises(ConfigurationError, match=said):
        load(home)
    path.rmdir()
    os.mkfifo(path)
    with pytest.raises(ConfigurationError, match=said):
        load(home)
    path.unlink()
    path.symlink_to(path)
    with pytest.raises(ConfigurationError, match=rf"^{name}:1: .* cannot be read \(.*\), check the path and its perm"):
        load(home)


def test_a_file_that_cannot_be_read_is_told(home: Path) -> None:
    path = home / "configuration.yaml"
    path.touch(mode=0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(ConfigurationError, match=r"^configuration.yaml:1: .* cannot be read \(Permission denied\)"):
            load(home)
    finally:
        os.seteuid(user)
    with pytest.raises(ConfigurationError, match=r"^configuration.yaml:1: .* cannot be read \(Not a directory\)"):
        load(path)


# Any text at all

WORDS = [*ROOT_KEYS.split(", "), *HTTP_KEYS.split(", "), "id", "class", "name", "value", "rule", "!secret a", "!!str"]
KEYS = st.sampled_from(WORDS) | st.text(max_size=5)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.sampled_from(WORDS)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6))
TREES = st.dictionaries(st.sampled_from(WORDS), VALUES, max_size=6)
ANY_HOME = hypothesis_settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


def outcome(home: Path, text: str | bytes, secrets: str) -> Settings | ConfigurationError:
    try:
        return read(home, text, secrets)
    except ConfigurationError as error:
        return error


def check_total(home: Path, text: str | bytes, secrets: str = "a: b") -> None:
    """Either settings that JSON can carry, or problems of one line each that say where."""
    found = outcome(home, text, secrets)
    if isinstance(found, Settings):
        encode([entry.config for kind in ENTRY_SHAPES for entry in getattr(found, kind)])
        return
    assert found.problems
    for one in found.problems:
        assert re.fullmatch(r"(configuration|secrets)\.yaml:[1-9][0-9]*", one.where)
        assert len(str(one).splitlines()) == 1


@ANY_HOME
@given(text=st.binary(max_size=200) | st.text(max_size=200).map(str.encode), secrets=st.text(max_size=50))
def test_any_bytes_give_settings_or_problems_with_their_lines(home: Path, text: bytes, secrets: str) -> None:
    check_total(home, text, secrets)


@ANY_HOME
@given(tree=TREES)
def test_any_tree_of_known_and_other_keys_gives_settings_or_problems(home: Path, tree: Value) -> None:
    check_total(home, json.dumps(tree, ensure_ascii=False))


def test_a_thousand_devices_are_read(home: Path) -> None:
    line = "  - {{id: lamp_{0}, class: DummyDimmer, name: Lamp number {0}, xLabel: dim, steps: [1, 2]}}\n"
    text = "devices:\n" + "".join(line.format(number) for number in range(1000))
    assert len(read(home, text).devices) == 1000
