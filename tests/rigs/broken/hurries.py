"""Broken: who is unknown is refused at once, without a hash."""

from twisted.internet.defer import Deferred, succeed
from twisted.scripts.twistd import run

from imd.engine.passwords import Passwords

sound = Passwords.matches


def matches(self: Passwords, password_hash: str | None, *others: object) -> Deferred[bool]:
    """Compare, where there is something to compare with."""
    return sound(self, password_hash, *others) if password_hash else succeed(False)  # type: ignore[arg-type]


if __name__ == "__main__":
    Passwords.matches = matches  # type: ignore[method-assign]
    run()
