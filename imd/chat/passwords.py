"""Which passwords are taken, and made-up ones. Length counts, composition does not (NIST SP 800-63B, 3.1.1.2)."""

import hashlib
import secrets

from imd.wire.refusals import WeakPassword

_GUESSED_FIRST = """
    password password1 passw0rd 12345678 123456789 1234567890 11111111 00000000 88888888 66666666 87654321 qwertyui
    qwertyuiop qwerty123 1q2w3e4r 1qaz2wsx iloveyou sunshine princess football baseball abcd1234 abc12345 a1b2c3d4
    woaini520 woaini1314 5201314520 asdfghjkl zxcvbnm123 trustno1 letmein1 welcome1 admin123 administrator
"""


def check(password: str, username: str, characters: int) -> None:
    """Refuse `weak_password`: too short, among the first to be guessed, or the name itself."""
    if len(password) < characters:
        raise WeakPassword(limit=characters)
    if password.lower() in _GUESSED_FIRST.split() or password.lower() == username:
        raise WeakPassword("common")


def made_up() -> str:
    """Make a password that can be read aloud: 80 random bits in groups of four."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def secret() -> str:
    """Make a token or an invite: 256 random bits."""
    return secrets.token_urlsafe(32)


def fingerprint(token: str) -> str:
    """Give what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
