"""An authenticator of the test's own: TOTP as RFC 6238 writes it down, with none of imd's code."""

import base64
import hashlib
import hmac
import struct


def code(secret: str, milliseconds: int, steps: int = 0) -> str:
    """Give the six digits of a moment, or of so many steps of 30 seconds later."""
    counter = struct.pack(">Q", milliseconds // 30_000 + steps)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    offset = digest[-1] & 0xF
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 10**6:06}"
