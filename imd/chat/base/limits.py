"""The limits that the rules and the gate hold people to (PROTOCOL section 7)."""

from typing import Annotated

import attrs
from msgspec import Meta

Count = Annotated[int, Meta(ge=0, le=1_000_000)]
CountFromOne = Annotated[int, Meta(ge=1, le=1_000_000)]
Bytes = Annotated[int, Meta(ge=1, le=16_777_216)]

DAY = 86_400_000
"""A day in milliseconds, as Caller.now counts them."""


@attrs.frozen
class Limits:
    """How much, how long, how often. Sizes are in bytes, times in seconds.

    A limit with bounds is a key of the configuration; a plain `int` is fixed, or derived from another limit.
    0 means unlimited for registrations_per_address, requests_per_second, strangers_per_day and edit_seconds, and no
    reserve for disk_reserve_mb.
    """

    line_bytes: Annotated[int, Meta(ge=128, le=16_777_216)] = 65_536
    stranger_line_bytes: int = 4_096
    content_bytes: Bytes = 16_384
    login_seconds: Annotated[int, Meta(ge=1, le=86_400)] = 30
    handshake_seconds: int = attrs.Factory(lambda self: min(10, max(1, self.login_seconds // 3)), takes_self=True)
    unauthenticated_per_address: CountFromOne = 20
    connections: Annotated[int, Meta(ge=2, le=1_000_000)] = 10_000
    unauthenticated: int = attrs.Factory(lambda self: max(1_000, self.connections // 10), takes_self=True)
    connections_per_account: int = 100
    failed_logins: Count = 5
    password_checks: int = 200
    registrations_per_address: Count = 50
    queue_bytes: Annotated[int, Meta(ge=65_536, le=1_073_741_824)] = 1_048_576
    stall_seconds: int = attrs.Factory(lambda self: self.login_seconds, takes_self=True)
    requests_per_second: Count = 30
    burst: CountFromOne = 100
    password_characters: Annotated[int, Meta(ge=1, le=64)] = 8
    devices_per_account: int = 100
    token_days: Annotated[int, Meta(ge=1, le=36_500)] = 30
    edit_seconds: Annotated[int, Meta(ge=0, le=3_153_600_000)] = 172_800
    burn_days: int = 30
    groups_owned: Count = 100
    strangers_per_day: int = 100
    friends_per_account: int = 2_000
    friend_requests_per_account: int = 100
    disk_reserve_mb: Annotated[int, Meta(ge=0, le=1_073_741_824)] = 256
    waiting_writes: int = 10_000

    @property
    def strangers(self) -> int:
        """How many connections may wait for a login: at most half of all, so that the other half is for people."""
        return min(self.unauthenticated, self.connections // 2)
