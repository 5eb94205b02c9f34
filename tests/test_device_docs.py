"""docs/devices.md says what the device classes are."""

from __future__ import annotations

from tests.device_docs import BEGIN, PAGE, page


def test_the_page_is_what_the_classes_say() -> None:
    assert PAGE.read_text("utf-8").partition(BEGIN)[2].strip() == page().strip()
