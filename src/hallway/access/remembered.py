"""What is remembered of credentials: keyed digests, never the text.

The key is made at the start and kept nowhere, so a digest says nothing to whoever reads the memory of another run. It
must not know whose credentials they are.
"""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict

REMEMBERED_WRONG = 1000


class Digests:
    """Credential → what stands for it while this process lives."""

    def __init__(self) -> None:
        self._key = os.urandom(32)

    def __call__(self, credential: bytes) -> bytes:
        return hashlib.blake2b(credential, digest_size=16, key=self._key).digest()


class Wrong:
    """The last digests that turned out to be wrong, so that the same guess costs a hash once."""

    def __init__(self, most: int = REMEMBERED_WRONG) -> None:
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._most = most

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._seen

    def __len__(self) -> int:
        return len(self._seen)

    def add(self, digest: bytes) -> None:
        """Remember it; the oldest one is forgotten when there are too many."""
        self._seen[digest] = None
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)

    def clear(self) -> None:
        """A password changed: what was wrong may be right now."""
        self._seen.clear()
