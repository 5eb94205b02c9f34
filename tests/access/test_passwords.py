"""What passwords promise: kept as salted argon2id hashes, and nothing else opens them."""

from __future__ import annotations

import pytest

from hallway.access.passwords import hash_password, is_password


def test_the_password_opens_its_hash_and_no_other_does() -> None:
    kept = hash_password("päss:wörd".encode())
    assert is_password("päss:wörd".encode(), kept)
    for wrong in (b"", b"p\xe4ss:w\xf6rd", "päss:wörd ".encode(), "Päss:wörd".encode(), kept.encode()):
        assert not is_password(wrong, kept)


def test_the_same_password_never_has_the_same_hash() -> None:
    assert hash_password(b"secret") != hash_password(b"secret")


def test_the_hash_is_argon2id_with_enough_memory_and_does_not_hold_the_password() -> None:
    kept = hash_password(b"secret")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert "secret" not in kept


@pytest.mark.parametrize("password", [b"", b"\x00", b"\xff\xfe", b"x" * 10_000])
def test_any_bytes_can_be_a_password(password: bytes) -> None:
    assert is_password(password, hash_password(password))


@pytest.mark.parametrize("kept", ["", "secret", "$argon2id$", "$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAA", "$2b$12$x"])
def test_what_is_no_hash_opens_for_nobody(kept: str) -> None:
    assert not is_password(b"secret", kept)
