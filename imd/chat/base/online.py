"""Attendance: who is here and as what, kept in memory. The house alone writes it; handlers of all lanes may look."""

from typing import cast

import attrs

from imd.wire.fields import timestamp
from imd.wire.presence import SeenAs

TYPING_MILLISECONDS = 3_000
"""How often somebody's typing in one conversation is told."""

MOST_KEPT = 10_000


@attrs.frozen
class PresenceSetting:
    """What an account shows itself as: online, away, busy or invisible, with a few words."""

    presence: str = "online"
    words: str = ""

    @property
    def invisible(self) -> bool:
        """Whether it is not to be seen at all."""
        return self.presence == "invisible"

    def seen(self, last_seen: int) -> "Seen":
        """Tell how others see it: who is invisible looks like who is gone."""
        return gone(last_seen) if self.invisible else Seen(cast("SeenAs", self.presence), self.words or None)


@attrs.frozen
class Seen:
    """How others see an account, in the wire's terms: who is here has words, who is gone a time."""

    presence: SeenAs
    words: str | None = None
    last_seen: str | None = None


def gone(last_seen: int) -> Seen:
    """Tell how others see who is not here; 0 means they never were."""
    return Seen("offline", last_seen=timestamp(last_seen) if last_seen else None)


@attrs.define(eq=False)
class Online:
    """The accounts that are here with at least one device. Times are milliseconds."""

    _here: dict[int, PresenceSetting] = attrs.field(factory=dict, init=False)
    _typed: dict[tuple[int, int], int] = attrs.field(factory=dict, init=False)

    def __contains__(self, account: int) -> bool:
        return account in self._here

    def come(self, account: int, chosen: PresenceSetting) -> None:
        """Count an account as here."""
        self._here[account] = chosen

    def change(self, account: int, chosen: PresenceSetting) -> None:
        """Let an account that is here show itself as something else."""
        if account in self._here:
            self._here[account] = chosen

    def go(self, account: int) -> None:
        """Count an account as gone."""
        self._here.pop(account, None)

    def everybody(self) -> list[int]:
        """List who is here."""
        return list(self._here)

    def seen(self, account: int, last_seen: int) -> Seen:
        """Tell how others see an account that was last seen then, as far as the database knows."""
        chosen = self._here.get(account)
        return chosen.seen(last_seen) if chosen else gone(last_seen)

    def may_type(self, account: int, conversation: int, now: int) -> bool:
        """Say whether typing is worth telling again, and remember that it was told. Nobody hears who is invisible."""
        key, chosen = (account, conversation), self._here.get(account)
        if (chosen and chosen.invisible) or now - self._typed.get(key, 0) < TYPING_MILLISECONDS:
            return False
        if len(self._typed) >= MOST_KEPT:
            self._typed.clear()
        self._typed[key] = now
        return True
