"""The hub: the sessions of each online account, the topics they follow, and the fan-out of events."""

from collections.abc import Iterable, Mapping

import attrs

from imd.chat.base.effects import EVERYBODY, Followers, Topic
from imd.engine.encoded_event import EncodedEvent
from imd.engine.pacing import Listener, Pacing
from imd.wire.refusals import QuotaExceeded

AT_ONCE = 64
"""An event for more sessions than this is paced, since encrypting takes 0.1 ms for each connection."""


@attrs.define(eq=False)
class Hub:
    """The online map, the topics, and the fan-out."""

    pacing: Pacing
    online: dict[int, dict[Listener, None]] = attrs.field(factory=dict, init=False)
    """Account -> its sessions, oldest first."""

    followers: dict[Topic, dict[int, int]] = attrs.field(factory=dict, init=False)
    """Topic -> the online accounts that follow it, each with the seq that its events must be beyond."""

    _followed: dict[int, set[Topic]] = attrs.field(factory=dict, init=False)

    @property
    def people(self) -> int:
        """How many accounts are online."""
        return len(self.online)

    def enter(self, account: int, session: Listener, topics: Mapping[Topic, int], most: int) -> None:
        """Add a session of an account, and let the account follow topics. Beyond `most` sessions the oldest ends."""
        sessions = self.online.setdefault(account, {})
        sessions[session] = None
        if len(sessions) > most:
            oldest = next(iter(sessions))
            del sessions[oldest]
            oldest.close(QuotaExceeded("connections", limit=most))
        for topic, seq in topics.items():
            self.follow(account, topic, seq)

    def leave(self, account: int, session: Listener) -> bool:
        """Remove a session; it gets no more events. True if it was the account's last one."""
        self.pacing.forget(session)
        sessions = self.online.get(account, {})
        sessions.pop(session, None)
        if sessions or self.online.pop(account, None) is None:
            return False
        for topic in tuple(self._followed.get(account, ())):
            self.unfollow(account, topic)
        return True

    def follow(self, account: int, topic: Topic, seq: int) -> None:
        """Let an account follow a topic while it is online. It gets events with a higher seq than this."""
        if account in self.online:
            self.followers.setdefault(topic, {})[account] = seq
            self._followed.setdefault(account, set()).add(topic)

    def unfollow(self, account: int, topic: Topic) -> None:
        """Let an account, or EVERYBODY, stop following a topic."""
        if account == EVERYBODY:
            for each in tuple(self.followers.get(topic, ())):
                self.unfollow(each, topic)
            return
        followers, followed = self.followers.get(topic, {}), self._followed.get(account, set())
        followers.pop(account, None)
        followed.discard(topic)
        if not followers:
            self.followers.pop(topic, None)
        if not followed:
            self._followed.pop(account, None)

    def tell(self, event: EncodedEvent, besides: Listener | None = None) -> None:
        """Pass an event to all sessions of its addressees, except one session."""
        accounts = event.to if isinstance(event.to, tuple) else self._followers(event.to)
        sessions = [each for account in accounts for each in self.online.get(account, ())]
        if not sessions:
            return
        self.pacing.told += event.size
        hear = self.pacing.hear_later if len(sessions) > AT_ONCE else self.pacing.hear_now
        for session in dict.fromkeys(sessions):  # an account may be named twice
            if session is not besides:
                hear(session, event)

    def _followers(self, to: Followers) -> Iterable[int]:
        """Return the followers of a topic that an event is for."""
        if to.topic == Topic.everyone():
            return tuple(self.online)
        followers = self.followers.get(to.topic, {})
        if to.only:
            return (to.only,) if followers.get(to.only, to.seq) < to.seq else ()
        return [account for account, seq in followers.items() if seq < to.seq and account != to.besides]

    def drop_devices(self, account: int, devices: list[int], besides: Listener | None = None) -> None:
        """End the sessions of these devices."""
        for session in tuple(self.online.get(account, ())):
            if session is not besides and session.identity is not None and session.identity.device in devices:
                session.revoke()

    def set_admin(self, account: int, admin: bool) -> None:
        """Grant admin rights to an account's sessions, or withdraw them."""
        for session in self.online.get(account, ()):
            if session.identity is not None:
                session.identity = attrs.evolve(session.identity, admin=admin)
