"""Sample replies, events and items, for the reference and for tests."""

from typing import Any, TypeVar

import attrs
from msgspec import Struct, inspect

from imd.chat.base.limits import Limits
from imd.chat.session import FEATURES
from imd.wire.fields import kinds

S = TypeVar("S", bound=Struct)

_TIME = "2026-11-23T06:25:18.123Z"

_FIELDS: dict[str, Any] = {
    "server": "imd 0.1.0",
    "protocol": "imd/1",
    "epoch": "5f0c2d1b9a7e4c36",
    "limits": attrs.asdict(Limits()),
    "features": FEATURES,
    "username": "alice",
    "display_name": "Alice",
    "device": "laptop",
    "token": "Jv9sX1nUo3e0…",
    "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "uri": "otpauth://totp/imd:alice?digits=6&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&algorithm=SHA1&issuer=imd&period=30",
    "codes": ["hv3k-9mxa-r2dw-7gpc-m8tz-4hqb", "yc6n-kf2s-w5rj-3xpd-t9ae-8gvm"],
    "enabled": True,
    "recovery_codes": 10,
    "created": "2026-11-02T08:00:00.000Z",
    "last_seen": _TIME,
    "current": True,
    "conversation": 1,
    "seq": 2,
    "rev": 2,
    "sender": "bob",
    "to": "bob",
    "kind": "text",
    "content": "six is fine",
    "time": _TIME,
    "duplicate": False,
    "title": "bob",
    "last_seq": 2,
    "last_rev": 2,
    "read_seq": 1,
    "delivered_seq": 2,
    "unread": 1,
    "more": False,
    "count": 1,
    "admin": False,
    "disabled": False,
    "devices": 2,
    "uses": 5,
    "invite": "kM4hQ7…",
    "expires": "2026-12-23T06:25:18.123Z",
    "emoji": "👍",
    "users": ["alice"],
    "what": "edited",
    "by": "bob",
    "mentions": 0,
    "role": "",
    "muted": False,
    "archived": False,
    "pinned": False,
    "delivered": True,
    "read": True,
    "own": False,
    "n": 1,
    "topic": "What we do",
    "owner": "alice",
    "join_mode": "open",
    "members": 12,
    "joined": _TIME,
    "link": "3f9a20c1",
    "join_code": "kM4hQ7…",
    "number": 1,
    "reporter": "alice",
    "reason": "asks for money",
    "registration": "invite",
    "requests_per_second": 30,
    "burst": 100,
    "strangers_per_day": 20,
    "words": ["casino"],
    "action": "user_role",
    "arguments": {"username": "bob", "role": "admin"},
    "result": {},
    "friend": True,
    "relation": "friend",
    "presence": "online",
    "since": _TIME,
    "part": 1,
    "parts": 3,
    "bytes": 70_123,
    "sha256": "5b287c531c3003238ec193c1eb0b464f9504b67f9bacf66a506ad79ab9285cb9",
    "data": "UEsDBBQACAgI…",
    "tombstone": "deleted-17",
    "version": "0.1.0",
    "uptime": 275_400,
    "connections": 41,
    "online": 37,
    "accounts": 52,
    "conversations": 118,
    "stored": 20_431,
    "queue": 0,
    "commit_ms": 2.4,
    "code": "unavailable",
    "message": "The server is stopping. Please connect again in a moment.",
}
_ANNOUNCED = "Tonight at ten we are away for an hour."
_OWN: dict[str, dict[str, Any]] = {
    "Conversation": {"kind": "direct"},
    "Issued": {"username": "carol", "password": "plum-otter-94-vivid"},
    "Sent": {"seq": 1, "rev": 1},
    "Pointers": {"conversation": 1, "delivered_seq": 2, "read_seq": 2},
    "Message": {"reply_to": 1},
    "NewMessage": {"reply_to": 1},
    "MessageChanged": {"content": "seven is fine", "edited": _TIME, "rev": 3, "what": "edited", "by": "bob"},
    "Reaction": {"count": 1},
    "Notice": {"what": "joined", "by": "carol"},
    "Reader": {"username": "bob"},
    "Receipt": {"username": "bob", "delivered_seq": 2, "read_seq": 2},
    "AccountChange": {"what": "starred", "conversation": 1, "seq": 2, "value": True},
    "AccountChanged": {"what": "starred", "conversation": 1, "seq": 2, "value": True},
    "PresenceChanged": {"username": "bob", "presence": "away", "presence_text": "at lunch"},
    "IsTyping": {"username": "bob"},
    "Changed": {"seq": 1, "rev": 3},
    "Created": {"conversation": 2, "seq": 1, "rev": 1, "to": "#team"},
    "Noticed": {"conversation": 2, "seq": 5, "rev": 6},
    "GroupInfo": {"conversation": 2, "to": "#team", "title": "The team", "role": "member"},
    "AnyGroup": {"to": "#team", "title": "The team"},
    "PublicGroup": {"to": "#team", "title": "The team"},
    "Joined": {"conversation": 2, "to": "#team", "joined": True},
    "Member": {"username": "bob", "role": "admin", "presence": "online"},
    "Members": {"conversation": 2},
    "GroupInvited": {"conversation": 2, "to": "#team", "title": "The team"},
    "GroupRequest": {"conversation": 2, "to": "#team", "username": "carol"},
    "GroupDeleted": {"conversation": 2, "to": "#team"},
    "Announcement": {"by": "root", "content": _ANNOUNCED},
    "NewAnnouncement": {"content": _ANNOUNCED},
    "Report": {"content": "send me your card number"},
    "NewReport": {"content": "send me your card number"},
    "AuditEntry": {"number": 7, "by": "root"},
    "Found": {"more": True, "before": 812},
    "FactorState": {"since": _TIME, "recovery_codes": 10},
    "Exported": {"expires": "2026-11-23T07:25:18.123Z"},
    "Closing": {"params": {"reason": "stopping"}},
    "Counted": {"what": "stars", "count": 3},
}
"""Values of fields that mean something else in a class, or are optional and worth showing: class -> field -> value."""


def sample(shape: type[S]) -> S:
    """Make a plausible reply, event or item."""
    described = inspect.type_info(shape)
    assert isinstance(described, inspect.StructType)
    own = _OWN.get(shape.__name__, {})
    wanted = [field for field in described.fields if field.required or field.name in own]
    return shape(**{field.name: own[field.name] if field.name in own else _value(field) for field in wanted})


def _value(field: inspect.Field) -> Any:
    for kind in kinds(field.type):
        if isinstance(kind, inspect.StructType):
            return sample(kind.cls)
        if isinstance(kind, inspect.ListType) and isinstance(kind.item_type, inspect.StructType):
            return [sample(kind.item_type.cls)]
    return _FIELDS[field.name]
