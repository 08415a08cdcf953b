"""Passwords and tokens. Of a password its length counts, not its composition (NIST SP 800-63B, 3.1.1.2)."""

import hashlib
import secrets
from functools import cache
from importlib.resources import files
from string import digits, punctuation, whitespace

from imd.wire.refusals import WeakPassword

OURS = frozenset({"imd", "message", "messages", "messenger", "chat", "server", "admin", "administrator", "operator"})
"""What is guessed first on such a server, with digits or signs around it."""


@cache
def _guessed_first() -> frozenset[str]:
    """Give the passwords that are the most common in leaks of other servers."""
    _, _, listed = files("imd.chat.base").joinpath("passwords.txt").read_text("utf-8").partition("\n\n")
    return frozenset(listed.splitlines())


def check(password: str, username: str, characters: int) -> None:
    """Refuse a password that is too short, guessed first, or the name itself, with digits or signs around it."""
    if len(password) < characters:
        raise WeakPassword(limit=characters)
    plain = password.lower()
    bare = plain.strip(digits + punctuation + whitespace)
    if plain in _guessed_first() or bare in OURS or username in (plain, bare):
        raise WeakPassword("common")


def made_up(groups: int = 4) -> str:
    """Make a password that can be read aloud: four groups of four letters have 79 random bits."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(groups))


def secret() -> str:
    """Make a token, an invite or a link's code: 256 random bits."""
    return secrets.token_urlsafe(32)


def fingerprint(token: str) -> str:
    """Give what is stored of a token: a leaked database logs nobody in."""
    return hashlib.sha256(token.encode()).hexdigest()
