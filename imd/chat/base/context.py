"""The context of a request: its caller, and the services that a slow handler may wait for."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import attrs

from imd.chat.base.export_store import ExportStore
from imd.chat.base.limits import Limits
from imd.chat.base.online import Online
from imd.chat.base.rate_limits import LoginLimit, RegistrationLimit
from imd.chat.base.word_filter import WordFilter
from imd.store.transaction import Tx
from imd.wire.refusals import Refusal

T = TypeVar("T")


@attrs.frozen
class Caller:
    """The account that sends a request, with the time and the rules that hold for it.

    Account 0 is none: a connection that has not logged in, or the operator's socket.
    """

    now: int
    """Milliseconds since 1970."""

    limits: Limits
    registration: str = "open"
    """Whether people may register: open, invite or closed."""

    word_filter: WordFilter = attrs.Factory(WordFilter)
    """Words that may not stand in anything that others read."""

    language: str = "en"
    account: int = 0
    username: str = ""
    device: int = 0
    label: str = ""
    admin: bool = False
    address: str = ""
    """Where the connection comes from, as limits count it: of an IPv6 address, its /64."""

    steady: int = attrs.Factory(lambda self: self.now, takes_self=True)
    """What `now` would be if nobody had set the clock since the server started."""

    online: Online = attrs.field(factory=Online, repr=False)
    """The accounts that are online."""

    epoch: str = ""
    """The name of the database since it was made or restored: seqs and revs hold for as long as it is the same."""

    @property
    def author(self) -> str:
        """The name that records of the caller's actions hold. No account can have the operator's."""
        return self.username or "*operator"


@attrs.frozen
class Health:
    """What only the running server knows of itself. None means that it does not know."""

    uptime: int = 0
    connections: int = 0
    online: int = 0
    queue: int = 0
    commit_ms: float = 0.0
    disk_free: int | None = None
    certificate_days: int | None = None
    backup: int | None = None
    """Milliseconds since 1970."""


class Services(Protocol):
    """What a slow handler may wait for."""

    logins: LoginLimit
    registrations: RegistrationLimit
    exports: ExportStore

    def aside(self, work: Callable[[], T]) -> Awaitable[T]:
        """Do slow work in a thread of its own, one piece after the other."""

    def health(self) -> Health:
        """Give the figures of the server's health."""

    def read(self, work: Callable[[Tx], T]) -> Awaitable[T]:
        """Read on a snapshot."""

    def write(self, work: Callable[[Tx], T]) -> Awaitable[T]:
        """Write, and wait for the disk."""

    def hash_password(self, password: str, address: str) -> Awaitable[str]:
        """Hash a password. Addresses take turns; refuses when too many wait."""

    def password_matches(self, password_hash: str | None, password: str, address: str) -> Awaitable[bool]:
        """Compare a password with a hash. Addresses take turns. A hash of None takes as long and never matches."""

    def login_failed(self, account: int, address: str, refusal: Refusal) -> None:
        """Log that a login failed, or another check of credentials. Account 0 means that the name is unknown."""
