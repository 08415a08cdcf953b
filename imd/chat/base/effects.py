"""What a handler decides: the reply, the deliveries, and the effects on sessions and server. Data, never a call."""

from collections.abc import Mapping
from typing import Generic, NamedTuple, TypeVar

import attrs

from imd.chat.base.online import PresenceSetting
from imd.chat.base.word_filter import WordFilter
from imd.wire.base import Event, Reply
from imd.wire.fields import BIGGEST

R = TypeVar("R", bound=Reply, covariant=True)


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

Delivery = tuple[Addressee, Event]


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

    chosen: PresenceSetting = attrs.field(factory=PresenceSetting)
    """What the account shows itself as."""


@attrs.frozen
class SignOut:
    """The session speaks for nobody."""


@attrs.frozen
class CloseConnection:
    """The session ends once its reply is out."""


@attrs.frozen
class SetLanguage:
    """The session reads this language."""

    language: str


@attrs.frozen
class DropDevices:
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
class ShowPresence:
    """An account that is here shows itself as something else."""

    account: int
    chosen: PresenceSetting


@attrs.frozen
class Schedule:
    """There is a chore to be done at this time (milliseconds since 1970), see chores."""

    at: int


@attrs.frozen
class SetAdmin:
    """An account's live sessions have an admin's rights from now on, or have them no more."""

    account: int
    admin: bool


@attrs.frozen
class ApplyPolicy:
    """These policies hold from now on: what is not in them is as configured."""

    registration: str | None
    limits: Mapping[str, int]
    word_filter: WordFilter


Effect = (
    SignIn
    | SignOut
    | CloseConnection
    | SetLanguage
    | DropDevices
    | Follow
    | Unfollow
    | ShowPresence
    | Schedule
    | SetAdmin
    | ApplyPolicy
)


@attrs.frozen
class Outcome(Generic[R]):
    """What a handler decided: the reply, who is told what, and what becomes of the session."""

    reply: R
    told: tuple[Delivery, ...] = ()
    effects: tuple[Effect, ...] = ()
