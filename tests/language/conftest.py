import pytest

from tests.language.rule_house import RuleHouse


@pytest.fixture
def house() -> RuleHouse:
    return RuleHouse()
