"""A second factor: besides the password, a code from an authenticator app (TOTP, RFC 6238).

-> FACTOR ADD correct horse battery            <- - Enter this in your authenticator app: …
                                               <- - Then type FACTOR CONFIRM and the six digits that it shows.
                                               <- OK FACTOR ADD secret=… uri=…
-> FACTOR CONFIRM 123456                       <- - Recovery codes. Each works once in place of six digits; …
                                               <- …
                                               <- OK FACTOR CONFIRM
-> LOGIN alice device=phone code=654321 correct horse battery   <- OK LOGIN username=alice device=phone token=…
-> FACTOR REMOVE 210987 correct horse battery  <- OK FACTOR REMOVE
"""

from imd.wire import catalog
from imd.wire.base import Command, Reply, Right, command
from imd.wire.fields import Code, Name, Password, clock_face
from imd.wire.refusals import BadRequest, Conflict, InvalidCredentials, NoSuchUser, RateLimited, Unavailable


class FactorSecret(Reply, frozen=True, kw_only=True):
    """What an authenticator app needs: `uri` is for a QR code, `secret` for typing. Neither is shown again."""

    secret: str
    uri: str

    def lines(self, language: str) -> list[str]:
        """Say what to do with the secret, in groups that can be typed."""
        groups = " ".join(self.secret[start : start + 4] for start in range(0, len(self.secret), 4))
        first = catalog.say("line.factor.secret", language, secret=groups)
        return [first, catalog.say("line.factor.confirm", language)]


@command("factor_add", "FACTOR ADD password...")
class FactorAdd(Command, frozen=True, kw_only=True):
    """Begin a second factor. No code is asked for before it is confirmed. Each time the secret is a new one."""

    password: Password
    reply = FactorSecret
    refusals = (InvalidCredentials, Conflict, RateLimited, Unavailable)
    example = "FACTOR ADD correct horse battery"


class RecoveryCodes(Reply, frozen=True, kw_only=True):
    """Codes that each work once, in place of an authenticator's. They are not shown again."""

    codes: list[str]

    def lines(self, language: str) -> list[str]:
        """List the codes, two on a line, after a line that says what they are for."""
        pairs = [" ".join(self.codes[start : start + 2]) for start in range(0, len(self.codes), 2)]
        return [catalog.say("line.factor.codes", language), *pairs]


@command("factor_confirm", "FACTOR CONFIRM code")
class FactorConfirm(Command, frozen=True, kw_only=True):
    """Confirm a new secret by a code. From now on a code is asked for wherever the password is."""

    code: Code
    reply = RecoveryCodes
    refusals = (InvalidCredentials, Conflict, BadRequest)
    example = "FACTOR CONFIRM 123456"


@command("factor_codes", "FACTOR CODES code password...")
class FactorCodes(Command, frozen=True, kw_only=True):
    """Get new recovery codes. The old ones stop working."""

    code: Code
    password: Password
    reply = RecoveryCodes
    refusals = (InvalidCredentials, BadRequest, RateLimited, Unavailable)
    example = "FACTOR CODES 123456 correct horse battery"


@command("factor_remove", "FACTOR REMOVE code password...")
class FactorRemove(Command, frozen=True, kw_only=True):
    """Remove the second factor and its recovery codes."""

    code: Code
    password: Password
    refusals = (InvalidCredentials, RateLimited, Unavailable)
    example = "FACTOR REMOVE 123456 correct horse battery"


class FactorState(Reply, frozen=True, kw_only=True, omit_defaults=True):
    """Whether codes are asked for, since when, and how many recovery codes are left."""

    enabled: bool
    since: str | None = None
    recovery_codes: int | None = None

    def lines(self, language: str) -> list[str]:
        """Write it as a sentence."""
        if not self.enabled or self.since is None:
            return [catalog.say("line.factor.off", language)]
        since = clock_face(self.since)
        return [catalog.say("line.factor.on", language, since=since, recovery_codes=self.recovery_codes)]


@command("factor_show", "FACTOR SHOW")
class FactorShow(Command, frozen=True, kw_only=True):
    """Show whether you have a second factor."""

    reply = FactorState
    example = "FACTOR SHOW"


@command("user_unfactor", "USER UNFACTOR username", right=Right.ADMIN)
class UserUnfactor(Command, frozen=True, kw_only=True):
    """Remove the second factor of somebody who lost their authenticator and recovery codes. Make sure it is them."""

    username: Name
    refusals = (NoSuchUser,)
    example = "USER UNFACTOR bob"
