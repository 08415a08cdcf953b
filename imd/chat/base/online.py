"""Who is online, and what each shows itself as: kept in memory. The server writes it; handlers of all lanes read it."""

from typing import cast

import attrs

from imd.wire.fields import timestamp
from imd.wire.presence import SeenAs

TYPING_MILLISECONDS = 3_000
"""How often somebody's typing in one conversation is told."""

MOST_KEPT = 10_000


@attrs.frozen
class VisiblePresence:
    """How others see an account. One that is online may have a text, one that is offline a time."""

    presence: SeenAs
    presence_text: str | None = None
    last_seen: str | None = None

    @classmethod
    def offline(cls, last_seen: int) -> "VisiblePresence":
        """Give how others see an account that is offline; 0 means that it never was online."""
        return cls("offline", last_seen=timestamp(last_seen) if last_seen else None)


@attrs.frozen
class PresenceSetting:
    """What an account shows itself as: online, away, busy or invisible, with a text."""

    presence: str = "online"
    text: str = ""

    @property
    def invisible(self) -> bool:
        """Whether others see the account as offline."""
        return self.presence == "invisible"

    def visible(self, last_seen: int) -> VisiblePresence:
        """Give how others see an account that is online with this setting."""
        if self.invisible:
            return VisiblePresence.offline(last_seen)
        return VisiblePresence(cast("SeenAs", self.presence), self.text or None)


@attrs.define(eq=False)
class Online:
    """The accounts that are online with at least one device. Times are milliseconds."""

    _settings: dict[int, PresenceSetting] = attrs.field(factory=dict, init=False)
    _typed: dict[tuple[int, int], int] = attrs.field(factory=dict, init=False)

    def __contains__(self, account: int) -> bool:
        return account in self._settings

    def come(self, account: int, chosen: PresenceSetting) -> None:
        """Count an account as online."""
        self._settings[account] = chosen

    def change(self, account: int, chosen: PresenceSetting) -> None:
        """Let an account show itself as something else, if it is online."""
        if account in self._settings:
            self._settings[account] = chosen

    def go(self, account: int) -> None:
        """Count an account as offline."""
        self._settings.pop(account, None)

    def everybody(self) -> list[int]:
        """List the accounts that are online."""
        return list(self._settings)

    def visible(self, account: int, last_seen: int) -> VisiblePresence:
        """Give how others see an account; `last_seen` is what the database knows."""
        chosen = self._settings.get(account)
        return chosen.visible(last_seen) if chosen else VisiblePresence.offline(last_seen)

    def may_type(self, account: int, conversation: int, now: int) -> bool:
        """Say whether to tell of an account's typing, and remember that it was told. An invisible one's is not told."""
        key, chosen = (account, conversation), self._settings.get(account)
        if (chosen and chosen.invisible) or now - self._typed.get(key, 0) < TYPING_MILLISECONDS:
            return False
        if len(self._typed) >= MOST_KEPT:
            self._typed.clear()
        self._typed[key] = now
        return True
