"""What a client asks first: config, components, bootstrap."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.wire import Wire
from tests.conftest import StartHub
from tests.hubs import RunningHub

PLACE = "home: {name: Hütte, latitude: 52.5, longitude: -4.25, time_zone: Europe/Amsterdam, unit_system: imperial}\n"


@pytest.fixture
def wire(door: RunningHub) -> Iterator[Wire]:
    with Wire(door) as wire:
        yield wire


def test_the_config_tells_the_home(start_hub: StartHub) -> None:
    config = start_hub(PLACE).ask("GET", "/api/config").json()
    assert sorted(config) == list(config)
    components = config.pop("components")
    assert {"api", "http", "sun"} <= set(components)
    assert config == {
        "latitude": 52.5,
        "longitude": -4.25,
        "location_name": "Hütte",
        "temperature_unit": "°F",
        "time_zone": "Europe/Amsterdam",
        "version": config["version"],
    }


def test_a_home_without_a_place_has_numbers_all_the_same(wire: Wire) -> None:
    config = wire.ask("GET", "/api/config").json()
    assert (config["latitude"], config["longitude"]) == (0.0, 0.0)
    assert (config["location_name"], config["time_zone"], config["temperature_unit"]) == ("Home", "UTC", "°C")


def test_the_version_is_one_whose_way_of_speaking_clients_know(wire: Wire) -> None:
    version = wire.ask("GET", "/api/config").json()["version"]
    assert [int(part) for part in version.split(".")] < [0, 8, 0]


def test_components_are_the_domains_of_the_hub_itself(wire: Wire) -> None:
    wire.ask("POST", "/api/states/unheard_of.one", {"state": "1"})
    listed = wire.ask("GET", "/api/components").json()
    assert listed[:2] == ["api", "http"]
    assert {"light", "switch", "group", "variable"} <= set(listed)
    assert "unheard_of" not in listed
    assert listed == wire.ask("GET", "/api/config").json()["components"]


def test_bootstrap_is_all_four_at_once(wire: Wire) -> None:
    bootstrap = wire.ask("GET", "/api/bootstrap").json()
    apart = {name: wire.ask("GET", f"/api/{name}").json() for name in ("config", "events", "services", "states")}
    assert bootstrap == apart
