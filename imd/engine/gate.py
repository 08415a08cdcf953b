"""The checks that every command must pass: logged in, allowed, and not too fast."""

import math

import attrs

from imd.chat.base.limits import Limits
from imd.wire.base import Right, Spec
from imd.wire.refusals import AuthRequired, Forbidden, RateLimited


@attrs.define
class Bucket:
    """A token bucket: `requests_per_second` in the long run, `burst` at once. Times are seconds."""

    filled: float
    tokens: float

    @classmethod
    def full(cls, limits: Limits, now: float) -> "Bucket":
        """Start with the whole burst."""
        return cls(now, limits.burst)

    def take(self, limits: Limits, now: float) -> None:
        """Take a token, or refuse `rate_limited`. Limits are passed in, since they may change meanwhile."""
        rate = limits.requests_per_second
        if not rate:
            return
        self.tokens = min(limits.burst, self.tokens + (now - self.filled) * rate)
        self.filled = now
        if self.tokens < 1:
            raise RateLimited(retry_after=math.ceil((1 - self.tokens) / rate * 1000) / 1000)
        self.tokens -= 1


def check(spec: Spec, *, logged_in: bool, admin: bool) -> None:
    """Refuse a command that this session may not give. A session before login learns only that it must log in."""
    if spec.right is Right.USER and not logged_in:
        raise AuthRequired
    if spec.right is Right.ADMIN and not admin:
        raise Forbidden if logged_in else AuthRequired
