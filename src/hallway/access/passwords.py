"""Passwords as they are kept: argon2id hashes, never the text.

Hashing takes tens of milliseconds on purpose: run it in a thread. It must not know whose password it is.
"""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""19 MiB, two passes: what OWASP asks for at least, and bearable for a Raspberry Pi."""


def hash_password(password: bytes) -> str:
    """The hash to keep, with its salt and parameters."""
    return _HASHER.hash(password)


def is_password(password: bytes, kept: str) -> bool:
    """Whether that is the password of a hash."""
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
