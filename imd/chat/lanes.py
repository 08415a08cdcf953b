"""Lanes: a handler's decorator says where it runs, and nothing else does.

    @writes   whole, in the writer thread, undone alone if it fails:  (tx, me, command) -> Outcome
    @reads    the same on a snapshot in a reader thread
    @live     in the reactor, without a database:                                      (me, command) -> Outcome
    @slow     a coroutine that may wait, and what changes who asks (nothing passes it):  (desk, me, command) -> Outcome

Who is to be told, and what becomes of the session, is data in the Outcome; a handler never calls the network.
"""

from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import attrs

from imd.chat import accountability
from imd.chat.attendance import Attendance, Chosen
from imd.chat.limits import Limits
from imd.chat.newcomers import Newcomers
from imd.chat.shelf import Shelf
from imd.chat.throttle import Throttle
from imd.chat.words import Words
from imd.store.transaction import Tx
from imd.wire.base import Command, Event, Reply, Right, registry
from imd.wire.fields import BIGGEST
from imd.wire.refusals import Refusal

R = TypeVar("R", bound=Reply, covariant=True)
T = TypeVar("T")


@attrs.frozen
class Me:
    """Who asks, when, and under which rules. Account 0 is nobody: not logged in, or the operator's socket."""

    now: int
    """Milliseconds since 1970."""

    limits: Limits
    registration: str = "open"
    """Who may register: open, invite or closed."""

    words: Words = attrs.Factory(Words)
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

    attendance: Attendance = attrs.field(factory=Attendance, repr=False)
    """Who is here."""

    epoch: str = ""
    """The name of the database's life."""

    @property
    def author(self) -> str:
        """The name under which it is kept that I did something; nobody can be called what the operator is."""
        return self.username or "*operator"


class Topic(NamedTuple):
    """Something that accounts follow while they are online: kept in memory, so that telling it reads no rows."""

    about: str
    number: int = 0

    @classmethod
    def members(cls, conversation: int) -> "Topic":
        """What happens in a group."""
        return cls("members", conversation)

    @classmethod
    def everyone(cls) -> "Topic":
        """What everybody is told: who is online follows it, and nobody has to say so."""
        return cls("everyone")


@attrs.frozen
class Followers:
    """Those who follow a topic: all of them, all besides one account, or that one account only.

    Each follows from a seq on: what is about a message that came before is not for them.
    """

    topic: Topic
    besides: int = 0
    only: int = 0
    seq: int = BIGGEST


Addressee = tuple[int, ...] | Followers
"""Who is told: these accounts, or those who follow a topic."""

Told = tuple[Addressee, Event]


@attrs.frozen
class SignIn:
    """The session now speaks for this account; `replay` pushes what was not delivered."""

    account: int
    username: str
    language: str
    """The language it reads, where the session chose none; empty for the house's."""

    admin: bool
    device: int
    label: str
    replay: bool
    topics: Mapping[Topic, int] = attrs.field(factory=dict)
    """What the account follows, each from which seq on."""

    chosen: Chosen = attrs.field(factory=Chosen)
    """What the account shows itself as."""


@attrs.frozen
class SignOut:
    """The session speaks for nobody."""


@attrs.frozen
class Leave:
    """The session ends once its reply is out."""


@attrs.frozen
class Speak:
    """The session reads this language."""

    language: str


@attrs.frozen
class Cut:
    """The live connections of these devices are closed."""

    account: int
    devices: list[int]


@attrs.frozen
class Follow:
    """An account follows a topic from now on, or from another seq. It hears what this very outcome tells."""

    account: int
    topic: Topic
    seq: int = 0


EVERYBODY = 0
"""In place of an account: all that follow the topic."""


@attrs.frozen
class Unfollow:
    """An account, or everybody, follows a topic no more. They still hear what this very outcome tells."""

    account: int
    topic: Topic


@attrs.frozen
class Appear:
    """An account that is here shows itself as something else."""

    account: int
    chosen: Chosen


@attrs.frozen
class Wake:
    """There is a chore to be done at this time (milliseconds since 1970), see chores."""

    at: int


@attrs.frozen
class Promote:
    """An account's live sessions have an admin's rights from now on, or have them no more."""

    account: int
    admin: bool


@attrs.frozen
class Govern:
    """These policies hold from now on: what is not in them is as configured."""

    registration: str | None
    limits: Mapping[str, int]
    words: Words


Effect = SignIn | SignOut | Leave | Speak | Cut | Follow | Unfollow | Appear | Wake | Promote | Govern


@attrs.frozen
class Outcome(Generic[R]):
    """What a handler decided: the reply, who is told what, and what becomes of the session."""

    reply: R
    told: tuple[Told, ...] = ()
    effects: tuple[Effect, ...] = ()


@attrs.frozen
class Vitals:
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


class Desk(Protocol):
    """What a slow handler may wait for."""

    throttle: Throttle
    newcomers: Newcomers
    shelf: Shelf

    def aside(self, work: Callable[[], T]) -> Awaitable[T]:
        """Work in a thread that may take its time, one thing after the other."""

    def vitals(self) -> Vitals:
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


class Lane(Enum):
    """Where a handler runs."""

    WRITES = "writes"
    READS = "reads"
    LIVE = "live"
    SLOW = "slow"


@attrs.frozen
class Handler:
    """One command's handler with its lane."""

    lane: Lane
    run: Callable[..., Any]


HANDLERS: dict[type[Command], Handler] = {}
"""Command -> its one handler."""

F = TypeVar("F", bound=Callable[..., Any])


def _taking(lane: Lane) -> Callable[[type[Command]], Callable[[F], F]]:
    def handles(shape: type[Command]) -> Callable[[F], F]:
        def keep(run: F) -> F:
            if shape in HANDLERS:
                raise ValueError(f"{shape.__name__} has two handlers")
            HANDLERS[shape] = Handler(lane, _held_to_account(lane, shape, run))
            return run

        return keep

    return handles


def _held_to_account(lane: Lane, shape: type[Command], run: Callable[..., Any]) -> Callable[..., Any]:
    """See to it that what an admin changes is in the audit log."""
    action = next((spec.action for spec in registry if spec.shape is shape and spec.right is Right.ADMIN), "")
    hold = {Lane.WRITES: accountability.write, Lane.SLOW: accountability.slow}.get(lane)
    return hold(action, run) if action and hold else run


writes = _taking(Lane.WRITES)
reads = _taking(Lane.READS)
live = _taking(Lane.LIVE)
slow = _taking(Lane.SLOW)
