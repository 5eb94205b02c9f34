"""What is remembered of credentials says nothing of them, and does not grow."""

from __future__ import annotations

from hallway.access.remembered import Digests, Wrong


def test_a_digest_is_the_same_for_the_same_credential_in_one_process_only() -> None:
    digests = Digests()
    assert digests(b"secret") == digests(b"secret")
    assert digests(b"secret") != digests(b"Secret")
    assert digests(b"secret") != Digests()(b"secret")
    assert b"secret" not in digests(b"secret")


def test_the_oldest_wrong_digest_is_forgotten_first() -> None:
    wrong = Wrong(most=2)
    for digest in (b"one", b"two", b"three"):
        wrong.add(digest)
    assert (b"one" in wrong, b"two" in wrong, b"three" in wrong, len(wrong)) == (False, True, True, 2)


def test_nothing_is_wrong_any_more_once_that_is_cleared() -> None:
    wrong = Wrong()
    wrong.add(b"one")
    wrong.clear()
    assert b"one" not in wrong
