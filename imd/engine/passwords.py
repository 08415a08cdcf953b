"""Password hashes: Argon2id in separate threads, so that many logins at once delay neither reactor nor writer.

m=19456 KiB, t=2, p=1 (OWASP Password Storage Cheat Sheet).
"""

import unicodedata
from collections.abc import Callable
from typing import TypeVar

import attrs
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from twisted.internet.defer import Deferred

from imd.chat.base.limits import Limits
from imd.engine.executor import Executor
from imd.engine.fair_queue import FairQueue

T = TypeVar("T")


@attrs.define
class Passwords:
    """Makes and checks hashes. Addresses take turns; the limits say how many requests may wait."""

    executor: Executor
    hasher: PasswordHasher = attrs.Factory(lambda: PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1))
    queue: FairQueue = attrs.field(
        default=attrs.Factory(lambda self: FairQueue(self.executor), takes_self=True), init=False
    )
    _dummy: str = attrs.field(
        default=attrs.Factory(lambda self: self.hasher.hash("nobody"), takes_self=True), init=False
    )
    """Checked when an account has no hash, so that an unknown name takes as long as a known one."""

    def hash(self, password: str, address: str = "", limits: Limits | None = None) -> "Deferred[str]":
        """Hash a password."""
        return self._queued(lambda: self.hasher.hash(_prepared(password)), address, limits)

    def matches(
        self, password_hash: str | None, password: str, address: str = "", limits: Limits | None = None
    ) -> "Deferred[bool]":
        """Check a password against a hash; None matches no password."""
        return self._queued(lambda: self._compare(password_hash, _prepared(password)), address, limits)

    def _queued(self, work: Callable[[], T], address: str, limits: Limits | None) -> "Deferred[T]":
        limits = limits or Limits()
        return self.queue.put(work, address, limits.password_checks, limits.unauthenticated_per_address)

    def _compare(self, password_hash: str | None, password: str) -> bool:
        matches = self._verify(password_hash or self._dummy, password)
        return matches and password_hash is not None

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self.hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


def _prepared(password: str) -> str:
    """Normalize a password: keyboards differ in how they encode the same character (RFC 8265, OpaqueString: NFC)."""
    return unicodedata.normalize("NFC", password)
