"""The limits that the rules and the gate hold people to (PROTOCOL section 7); each is a key of the configuration."""

import attrs

DAY = 86_400_000
"""A day in milliseconds, as Caller.now counts them."""


@attrs.frozen
class Limits:
    """How much, how long, how often. Sizes are bytes, times seconds.

    0 means no limit for registrations of an address, requests a second, strangers a day, and the time within which a
    message may be changed; no reserve for the disk.
    """

    line_bytes: int = 65_536
    stranger_line_bytes: int = 4_096
    content_bytes: int = 16_384
    login_seconds: int = 30
    handshake_seconds: int = 10
    unauthenticated_per_address: int = 20
    unauthenticated: int = 1_000
    connections: int = 10_000
    connections_per_account: int = 100
    failed_logins: int = 5
    password_checks: int = 200
    registrations_per_address: int = 50
    queue_bytes: int = 1_048_576
    stall_seconds: int = 30
    requests_per_second: int = 30
    burst: int = 100
    password_characters: int = 8
    devices_per_account: int = 100
    token_days: int = 30
    edit_seconds: int = 172_800
    burn_days: int = 30
    groups_owned: int = 100
    strangers_per_day: int = 100
    friends_per_account: int = 2_000
    friend_requests_per_account: int = 100
    disk_reserve_mb: int = 256
    waiting_writes: int = 10_000

    @property
    def strangers(self) -> int:
        """How many connections may wait to log in: never more than half of all, so that people have room too."""
        return min(self.unauthenticated, self.connections // 2)
