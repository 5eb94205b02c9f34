"""Single values of settings out of YAML nodes: times, sizes, hosts, zones, ids; what is wrong is said with its remedy.

It must not know in which section a value stands.
"""

from __future__ import annotations

import ipaddress
import re
import zoneinfo
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeVar

from hallway.home.ids import DEVICE_ID, MAX_ID
from hallway.home.values import Value
from hallway.settings.shapes import DAY, YEAR
from hallway.settings.yaml_lines import MapNode, Node
from hallway.settings.yaml_readers import Fault, Refused, did_you_mean, is_secret, line_of_text, refusal, text

_SECONDS: Final = MappingProxyType({"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": DAY, "w": 7 * DAY, "y": YEAR})
_BYTES: Final = MappingProxyType(
    {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
)
_MEASURE: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?([A-Za-z]*)")
_ORIGIN: Final = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_HOST_NAME: Final = re.compile(r"(?=.{1,253}$)\w(?:[\w-]*\w)?(?:\.\w(?:[\w-]*\w)?)*\.?")
_WEB: Final = re.compile(r"https?://[^\s\x00-\x1f/]+(?:/[^\s\x00-\x1f]*)?")
_NOTIFIER: Final = re.compile(r"[a-z0-9_]{1,60}")
_ADDRESS: Final = re.compile(r"postgres(?:ql)?://[^\s\x00-\x1f]{1,2000}")

M = TypeVar("M", int, float)


def duration(written: str) -> float:
    """`10 s`, `5 min`, `2 h`, `30 d`, `1 y` or a number of seconds → seconds; ValueError for anything else."""
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


def _measured(parse: Callable[[str], M], kind: str, ends: tuple[str, str], zero: str) -> Callable[[Node], M]:
    lowest, highest = map(parse, ends)
    allowed = f"give {kind} from {ends[0]} to {ends[1]}" + (f", or 0 for {zero}" if zero else "")

    def read(node: Node) -> M:
        try:
            found = parse(text(node))
        except (ValueError, Refused):
            found = None
        if found is None or not (lowest <= found <= highest or (zero and found == 0)):
            raise refusal(node, allowed)
        return found

    return read


def duration_between(low: str, high: str, zero: str = "") -> Callable[[Node], float]:
    """A time in seconds; zero: what 0 stands for, where it may be given beside the others."""
    return _measured(duration, "a time", (low, high), zero)


def size_between(low: str, high: str, zero: str = "") -> Callable[[Node], int]:
    """A number of bytes, likewise."""
    return _measured(size, "a size", (low, high), zero)


def host_name(node: Node) -> str:
    """The name or address of a machine, without a port."""
    host = text(node)
    if not _HOST_NAME.fullmatch(host) and not _is_address(host):
        raise refusal(
            node, "give a host name or an IP address alone, such as 192.168.1.5 (the port is a setting of its own)"
        )
    return host


def origin(node: Node) -> str:
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


def time_zone(node: Node) -> str:
    """A name of the time zone database."""
    name = text(node)
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        near = did_you_mean("" if is_secret(node) else name, zoneinfo.available_timezones())
        raise refusal(node, f"give a time zone such as Europe/Amsterdam{near}") from None
    return name


def username(node: Node) -> str:
    """The name of a person."""
    name = line_of_text(node)
    if ":" in name:
        raise refusal(node, "give a name without a colon: browsers cannot log in with one")
    return name


def page_device(node: Node) -> Value:
    """`{deviceId: bed_light}`."""
    if not isinstance(node, MapNode) or node.entries.keys() != {"deviceId"}:
        raise refusal(node, "give a mapping such as {deviceId: bed_light}")
    return {"deviceId": identifier(node.entries["deviceId"])}


def identifier(node: Node) -> str:
    """An id: a number is taken as written."""
    written = text(node)
    if not DEVICE_ID.fullmatch(written) or len(written) > MAX_ID:
        hint = " without the $" if written.startswith("$") else ""
        raise refusal(node, f"give letters a-z, digits, - and _ only, at most {MAX_ID} of them{hint}")
    return written


def notifier_name(node: Node) -> str:
    """The name of a service `notify.<name>`."""
    name = text(node)
    if not _NOTIFIER.fullmatch(name) or name == "notify":
        raise refusal(node, "give small letters, digits and _ only, and not notify, which reaches everybody")
    return name


def web_address(node: Node) -> str:
    """A web address. It may hold a secret and is never shown."""
    address = text(node)
    if not _WEB.fullmatch(address):
        raise Refused(Fault(node.line, "is no web address", "give one such as https://ntfy.example/my-home"))
    return address


def database_address(node: Node) -> str:
    """Where a PostgreSQL database is. It may hold a password and is never shown."""
    address = text(node)
    if not _ADDRESS.fullmatch(address):
        where = node.line, "is no address of a PostgreSQL database"
        raise Refused(
            Fault(*where, "give one such as postgresql://hallway:password@10.0.0.2/hallway, best as `!secret name`")
        )
    return address
