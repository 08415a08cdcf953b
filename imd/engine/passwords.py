"""Password hashes: Argon2id in threads of its own, so that a storm of logins holds up neither reactor nor writer.

m=19456 KiB, t=2, p=1 (OWASP Password Storage Cheat Sheet).
"""

import unicodedata
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import attrs
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from imd.wire.refusals import Unavailable

T = TypeVar("T")

THREADS = 2
MOST_WAITING = 200


class Crew(Protocol):
    """Who does the hashing."""

    waiting: int
    """How many passwords wait."""

    def do(self, work: Callable[[], T]) -> "Deferred[T]":
        """Run it somewhere."""

    def stop(self) -> None:
        """Let the threads go."""


class Inline:
    """Hashes at once: for tests, and for the command line beside a stopped daemon."""

    waiting = 0

    def do(self, work: Callable[[], T]) -> "Deferred[T]":
        """Run it here and now."""
        return maybeDeferred(work)

    def stop(self) -> None:
        """Have nothing to let go."""


@attrs.define
class Threads:
    """Hashes in a small pool with a bounded queue."""

    reactor: Any
    _pool: ThreadPool | None = None
    waiting: int = 0

    def do(self, work: Callable[[], T]) -> "Deferred[T]":
        """Run it in a thread; refuses `unavailable` when too many wait."""
        if self.waiting >= MOST_WAITING:
            raise Unavailable
        if self._pool is None:
            self._pool = ThreadPool(0, THREADS, name="passwords")
            self._pool.start()
        self.waiting += 1
        return deferToThreadPool(self.reactor, self._pool, work).addBoth(self._done)

    def _done(self, result: T) -> T:
        self.waiting -= 1
        return result

    def stop(self) -> None:
        """Let the threads go."""
        if self._pool is not None:
            self._pool.stop()
            self._pool = None


@attrs.define
class Passwords:
    """Makes and compares hashes."""

    crew: Crew
    hasher: PasswordHasher = attrs.Factory(lambda: PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1))
    _nobody: str | None = None
    """A hash that nothing matches: who is unknown must cost what who is known costs."""

    def hash(self, password: str) -> "Deferred[str]":
        """Hash a password."""
        return self.crew.do(lambda: self.hasher.hash(_prepared(password)))

    def matches(self, password_hash: str | None, password: str) -> "Deferred[bool]":
        """Compare a password with a hash; None matches nothing."""
        return self.crew.do(lambda: self._compare(password_hash, _prepared(password)))

    def _compare(self, password_hash: str | None, password: str) -> bool:
        if password_hash is None:
            if self._nobody is None:
                self._nobody = self.hasher.hash("nobody")
            self._verify(self._nobody, password)
            return False
        return self._verify(password_hash, password)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self.hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


def _prepared(password: str) -> str:
    """Make two keyboards' spellings of one password the same (RFC 8265, OpaqueString: NFC)."""
    return unicodedata.normalize("NFC", password)
