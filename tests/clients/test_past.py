"""Programs that read history: scripts of 2014 with requests and curl."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta

import requests

from tests.peers.environments import program
from tests.peers.rest import Rest


def a_day_of(home: Rest, entity_id: str, *states: str) -> None:
    for state in states:
        assert home.ask("POST", f"/api/states/{entity_id}", {"state": state}).status_code in {200, 201}


def read_date(text: str) -> datetime:
    """A date as scripts of that time read it."""
    return datetime.strptime(text, "%H:%M:%S %d-%m-%Y").replace(tzinfo=UTC)


def test_a_script_draws_the_last_day_of_a_sensor(home: Rest) -> None:
    a_day_of(home, "sensor.porch", "18.5", "18.7", "unknown", "19.0")
    headers = {"X-HA-access": home.password}
    url = f"{home.url}/api/history/period?filter_entity_id=sensor.porch"
    (states,) = requests.get(url, headers=headers, timeout=60).json()
    points = []
    for state in states:
        try:
            points.append((read_date(state["last_changed"]), float(state["state"])))
        except ValueError:
            continue
    assert [value for _at, value in points] == [18.5, 18.7, 19.0]
    assert all(datetime.now(UTC) - at < timedelta(minutes=5) for at, _value in points)


def test_a_script_prints_the_logbook_of_today(home: Rest) -> None:
    a_day_of(home, "test.bell", "silent", "ringing")
    lines = requests.get(f"{home.url}/api/logbook", params={"api_password": home.password}, timeout=60).json()
    told = [f"{read_date(line['when']):%H:%M} {line['name']} {line['message']}" for line in lines]
    assert any(line.endswith("bell changed to ringing") for line in told)


def test_curl_asks_for_yesterday_without_quoting_anything(home: Rest) -> None:
    url = f"{home.url}/api/history/period/2014-12-01"
    done = subprocess.run(
        [str(program("curl")), "--disable", "--silent", "--http1.0", "-H", f"x-ha-access: {home.password}", url],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "[]"
