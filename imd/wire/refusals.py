"""Refusals: every way a command can fail, each with its stable code (PROTOCOL section 8).

There is one class for each code. It is raised where the rule is, and written as a line by the dialects. `params` are
for programs, and for the sentence in the catalog: `[code.CODE]`, or with a `case` `[code.CODE.CASE]`.
"""

from typing import ClassVar

CODES: dict[str, type["Refusal"]] = {}
"""Code -> its class, in the order of the protocol."""


class Refusal(Exception):
    """A command is refused. This is no fault of the server, and is not logged as one."""

    code: ClassVar[str] = ""

    def __init__(self, case: str = "", **params: object) -> None:
        super().__init__(self.code, case, params)
        self.case = case
        self.params = params

    def __init_subclass__(cls, code: str) -> None:
        cls.code = code
        CODES[code] = cls


class UnknownCommand(Refusal, code="unknown_command"):
    """There is no such command; `suggestion` holds the nearest one."""


class BadRequest(Refusal, code="bad_request"):
    """The line is not a request, or a field of it is missing or of the wrong shape."""


class BadEncoding(Refusal, code="bad_encoding"):
    """The line is not UTF-8, or holds half a surrogate pair."""


class LineTooLong(Refusal, code="line_too_long"):
    """The line passes `limit` bytes; the rest of it is skipped."""


class AuthRequired(Refusal, code="auth_required"):
    """Log in first."""


class InvalidCredentials(Refusal, code="invalid_credentials"):
    """The name, the password or the token is wrong. The reply does not tell which (OWASP ASVS 5.0, 6.3.8)."""


class NameTaken(Refusal, code="name_taken"):
    """Somebody else has this name."""


class BadName(Refusal, code="bad_name"):
    """Not a name (PROTOCOL section 4)."""


class WeakPassword(Refusal, code="weak_password"):
    """Too short, too common, or the name itself (NIST SP 800-63B section 3.1.1.2)."""


class InviteRequired(Refusal, code="invite_required"):
    """This server registers people by invite only."""


class InviteInvalid(Refusal, code="invite_invalid"):
    """The invite is unknown, used up or out of date."""


class NoSuchUser(Refusal, code="no_such_user"):
    """Nobody here has this name."""


class NoSuchConversation(Refusal, code="no_such_conversation"):
    """There is none, or it is not yours. The reply does not tell which."""


class NoSuchMessage(Refusal, code="no_such_message"):
    """The conversation has no such message."""


class NotAMember(Refusal, code="not_a_member"):
    """You are not in this group."""


class Blocked(Refusal, code="blocked"):
    """They do not take messages from you."""


class Forbidden(Refusal, code="forbidden"):
    """You may not do this."""


class Conflict(Refusal, code="conflict"):
    """It contradicts what was said before: a client_id used again with other content."""


class TooLate(Refusal, code="too_late"):
    """The time for this has passed."""


class TooLarge(Refusal, code="too_large"):
    """More than `limit` bytes."""


class QuotaExceeded(Refusal, code="quota_exceeded"):
    """You have as many of these as you may have."""


class RateLimited(Refusal, code="rate_limited"):
    """Too fast; `retry_after` says how many seconds to wait."""


class SlowConsumer(Refusal, code="slow_consumer"):
    """This connection does not read what it is sent. It is closed; the client catches up by sync."""


class Unsupported(Refusal, code="unsupported"):
    """This server does not do that."""


class Unavailable(Refusal, code="unavailable"):
    """Not now: overloaded, stopping, or the disk failed. It may have happened all the same; repeating it is safe.

    Programs are told the case as `reason`.
    """

    def __init__(self, case: str = "", **params: object) -> None:
        super().__init__(case, **({"reason": case} if case else {}), **params)


class Internal(Refusal, code="internal"):
    """A fault of ours; `reference` finds it in the server's log."""
