"""The context of a request: the caller, and the services that a slow handler may wait for."""

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
    """Who asks, when, and under which rules. Account 0 is nobody: not logged in, or the operator's socket."""

    now: int
    """Milliseconds since 1970."""

    limits: Limits
    registration: str = "open"
    """Who may register: open, invite or closed."""

    word_filter: WordFilter = attrs.Factory(WordFilter)
    """What nothing may hold that others read."""

    language: str = "en"
    account: int = 0
    username: str = ""
    device: int = 0
    label: str = ""
    admin: bool = False
    address: str = ""
    """Where the connection comes from, as far as limits tell addresses apart."""

    steady: int = attrs.Factory(lambda self: self.now, takes_self=True)
    """Now, had nobody set the clock since the server started."""

    online: Online = attrs.field(factory=Online, repr=False)
    """Who is here."""

    epoch: str = ""
    """The name of the database's life."""

    @property
    def author(self) -> str:
        """The name under which it is kept that I did something; nobody can be called what the operator is."""
        return self.username or "*operator"


@attrs.frozen
class Health:
    """What only the running server knows of itself; None where it does not."""

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
        """Work in a thread that may take its time, one thing after the other."""

    def health(self) -> Health:
        """Tell how the server is."""

    def read(self, work: Callable[[Tx], T]) -> Awaitable[T]:
        """Read on a snapshot."""

    def write(self, work: Callable[[Tx], T]) -> Awaitable[T]:
        """Write, and wait for the disk."""

    def hash_password(self, password: str, address: str) -> Awaitable[str]:
        """Hash a password in its address's turn; refuses when too many wait."""

    def password_matches(self, password_hash: str | None, password: str, address: str) -> Awaitable[bool]:
        """Compare, in the address's turn; None costs the same and never matches."""

    def login_failed(self, account: int, address: str, refusal: Refusal) -> None:
        """Note a login that failed, or another proof of who one is. Account 0 is nobody's."""
