"""Codes of second factors: six digits that change every 30 seconds (TOTP, RFC 6238), and recovery codes.

Digits work one step early or late, and once: the step must be newer than the last one used. The secret is stored in
clear, since the server computes with it; of recovery codes only fingerprints are stored.
"""

import base64
import re
import secrets

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from imd.chat.base import passwords
from imd.store import second_factor as sql
from imd.store.transaction import Tx
from imd.wire.refusals import InvalidCredentials

STEP_SECONDS = 30
SECRET_BYTES = 20
RECOVERY_CODES = 10
RECOVERY_GROUPS = 6
"""Groups of four letters: 118 random bits, so that a plain fingerprint is enough (OWASP ASVS 5.0, 6.5.2)."""

_SEPARATORS = re.compile(r"[\s-]")


def new_secret() -> str:
    """Make a secret: 160 random bits in base32 (RFC 4226, section 4)."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def totp(secret: str) -> TOTP:
    """Make what computes the codes of a secret."""
    # authenticator apps know HMAC with SHA-1; collisions do not matter to it
    return TOTP(base64.b32decode(secret), 6, SHA1(), STEP_SECONDS)  # noqa: S303  # nosec B303


def new_recovery_codes(tx: Tx, account: int) -> list[str]:
    """Make new recovery codes for an account, in place of those it had."""
    codes = [passwords.made_up(RECOVERY_GROUPS) for _ in range(RECOVERY_CODES)]
    sql.put_codes(tx, account, [passwords.fingerprint(_bare(code)) for code in codes])
    return codes


def _bare(code: str) -> str:
    """Remove what people type between the groups."""
    return _SEPARATORS.sub("", code).lower()


def is_digits(code: str) -> bool:
    """Say whether a code is an authenticator's rather than a recovery code."""
    return re.fullmatch(r"[0-9]{6}", _bare(code)) is not None


def use_digits(tx: Tx, account: int, factor: sql.Factor, code: str, now: int) -> None:
    """Use up an authenticator's code, or refuse it."""
    step = now // 1000 // STEP_SECONDS
    checker = totp(factor.secret)
    for each in (step - 1, step, step + 1):
        try:
            checker.verify(_bare(code).encode(), each * STEP_SECONDS)
        except InvalidToken:
            continue
        if each > factor.last_step:
            sql.use_step(tx, account, each)
            return
    raise InvalidCredentials("wrong_code", field="code")


def use(tx: Tx, account: int, code: str, now: int) -> None:
    """Use up a code, or refuse it; an account without a second factor needs none."""
    factor = sql.get(tx, account)
    if factor is None or factor.since is None:
        return
    if not code:
        raise InvalidCredentials("code", field="code")
    if is_digits(code):
        use_digits(tx, account, factor, code, now)
    elif not sql.use_code(tx, account, passwords.fingerprint(_bare(code))):
        raise InvalidCredentials("wrong_code", field="code")
