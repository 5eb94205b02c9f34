"""What a URL means, and what is said of one that means nothing; never with its password."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hallway.errors import InvalidInput
from hallway.store.postgres.address import read_address
from hallway.store.postgres.texts import from_postgres, json_from_postgres, json_to_postgres, to_postgres


def test_all_parts_of_a_url() -> None:
    address = read_address("postgresql://an%40n:p%3Aw@db.example:6000/ho%2Fme?schema=flat&sslmode=require")
    assert (address.host, address.port, address.database, address.user) == ("db.example", 6000, "ho/me", "an@n")
    assert (address.password, address.schema, address.ssl) == ("p:w", "flat", "require")
    assert "p:w" not in repr(address)
    assert str(address) == "postgresql://an@n@db.example:6000/ho/me"
    assert address.without_password("it said p:w") == "it said ***"


def test_defaults_and_a_socket() -> None:
    address = read_address("postgres://ann@/home?host=/run/postgresql")
    assert (address.host, address.port, address.password, address.schema) == ("/run/postgresql", 5432, None, "hallway")
    assert str(address) == "postgresql://ann@/home?host=/run/postgresql"
    assert str(read_address("postgresql://ann:x@[::1]/home")) == "postgresql://ann@[::1]:5432/home"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://ann:secret@x/y", "must begin with postgresql://"),
        ("postgresql://ann:secret@x", "names no database"),
        ("postgresql://ann:secret@/y", "names no host"),
        ("postgresql://x/y", "names no user"),
        ("postgresql://ann:secret@x:99999/y", "port"),
        ("postgresql://ann:secret@x:abc/y", "port"),
        ("postgresql://ann:secret@[x/y", "cannot be read"),
        ("postgresql://ann:secret@x/y?schema=Two%20Words", "cannot be the schema"),
        ("postgresql://ann:secret@x/y?sslmode=maybe", "sslmode=maybe"),
        ("postgresql://ann:secret@x/y?colour=red", "'colour' that is not known"),
    ],
)
def test_what_is_wrong_is_said_without_the_password(url: str, said: str) -> None:
    with pytest.raises(InvalidInput) as error:
        read_address(url)
    assert said in error.value.message
    assert "secret" not in error.value.message


@given(st.text('\\\\u0"n\u2400\u241b\0 ') | st.lists(st.text("\0\\\\u\u2400\u241b")))
def test_every_json_comes_back_and_none_has_an_escape_for_nul(value: object) -> None:
    text = msgspec.json.encode(value).decode()
    written = json_to_postgres(text)
    assert json_from_postgres(written) == text
    assert "\0" not in repr(msgspec.json.decode(written)).replace("\\\\", "")
    assert "\\x00" not in repr(msgspec.json.decode(written)).replace("\\\\", "")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])) | st.text("\0\u2400\u241bab"))
def test_every_text_comes_back_and_none_has_nul(text: str) -> None:
    written = to_postgres(text)
    assert "\0" not in written
    assert from_postgres(written) == text
