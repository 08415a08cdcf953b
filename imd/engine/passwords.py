"""Password hashes: Argon2id in threads of its own, so that a storm of logins holds up neither reactor nor writer.

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
    """Makes and compares hashes. Addresses take turns; how many may wait is among the limits."""

    executor: Executor
    hasher: PasswordHasher = attrs.Factory(lambda: PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1))
    turns: FairQueue = attrs.field(
        default=attrs.Factory(lambda self: FairQueue(self.executor), takes_self=True), init=False
    )
    _nobody: str = attrs.field(
        default=attrs.Factory(lambda self: self.hasher.hash("nobody"), takes_self=True), init=False
    )
    """A hash that nothing matches: who is unknown must cost what who is known costs."""

    def hash(self, password: str, address: str = "", limits: Limits | None = None) -> "Deferred[str]":
        """Hash a password."""
        return self._in_turn(lambda: self.hasher.hash(_prepared(password)), address, limits)

    def matches(
        self, password_hash: str | None, password: str, address: str = "", limits: Limits | None = None
    ) -> "Deferred[bool]":
        """Compare a password with a hash; None matches nothing."""
        return self._in_turn(lambda: self._compare(password_hash, _prepared(password)), address, limits)

    def _in_turn(self, work: Callable[[], T], address: str, limits: Limits | None) -> "Deferred[T]":
        limits = limits or Limits()
        return self.turns.take(work, address, limits.password_checks, limits.unauthenticated_per_address)

    def _compare(self, password_hash: str | None, password: str) -> bool:
        matches = self._verify(password_hash or self._nobody, password)
        return matches and password_hash is not None

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self.hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


def _prepared(password: str) -> str:
    """Make two keyboards' spellings of one password the same (RFC 8265, OpaqueString: NFC)."""
    return unicodedata.normalize("NFC", password)
