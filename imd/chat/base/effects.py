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
    """Something that accounts follow while they are online. It is kept in memory, so that telling reads no rows."""

    about: str
    number: int = 0

    @classmethod
    def members(cls, conversation: int) -> "Topic":
        """What happens in a group, for its members."""
        return cls("members", conversation)

    @classmethod
    def everyone(cls) -> "Topic":
        """What everybody is told: every account that is online follows it."""
        return cls("everyone")


@attrs.frozen
class Followers:
    """The accounts that follow a topic: all of them, all besides one, or that one only.

    An account follows a topic from a seq on, and is told of no message before it.
    """

    topic: Topic
    besides: int = 0
    only: int = 0
    seq: int = BIGGEST


Addressee = tuple[int, ...] | Followers
"""The accounts that are told: these, or those that follow a topic."""

Delivery = tuple[Addressee, Event]


@attrs.frozen
class SignIn:
    """The session now speaks for this account; `replay` pushes what was not delivered."""

    account: int
    username: str
    language: str
    """Its language, for a session that chose none; empty for the server's."""

    admin: bool
    device: int
    label: str
    replay: bool
    topics: Mapping[Topic, int] = attrs.field(factory=dict)
    """The topics that the account follows, each with the seq to follow from."""

    chosen: PresenceSetting = attrs.field(factory=PresenceSetting)
    """What the account shows itself as."""


@attrs.frozen
class SignOut:
    """The session speaks for nobody."""


@attrs.frozen
class CloseConnection:
    """The session ends once its reply is sent."""


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
    """An account follows a topic from now on, or from another seq. It is told the deliveries of this outcome too."""

    account: int
    topic: Topic
    seq: int = 0


EVERYBODY = 0
"""In place of an account: all accounts that follow the topic."""


@attrs.frozen
class Unfollow:
    """An account, or everybody, no longer follows a topic. It is still told the deliveries of this outcome."""

    account: int
    topic: Topic


@attrs.frozen
class ShowPresence:
    """An account that is online shows itself as something else."""

    account: int
    chosen: PresenceSetting


@attrs.frozen
class Schedule:
    """A job is due at this time, in milliseconds since 1970 (see jobs)."""

    at: int


@attrs.frozen
class SetAdmin:
    """An account's live sessions get an admin's rights, or lose them."""

    account: int
    admin: bool


@attrs.frozen
class ApplyPolicy:
    """These policies hold from now on. What they do not set is as configured."""

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
    """What a handler decided: the reply, who is told what, and the effects."""

    reply: R
    told: tuple[Delivery, ...] = ()
    effects: tuple[Effect, ...] = ()
