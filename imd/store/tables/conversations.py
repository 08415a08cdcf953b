"""The tables of conversations: who is in them, who waits to be let in, and what is left of a deleted group."""

from imd.store.tables.declared import Column, Gone, Kept, Record, Section, Table, Untold, named

_OF_ACCOUNT = Column(Untold.NUMBER, refers="account")
_OF_CONVERSATION = Column(Untold.NUMBER, refers="conversation")

CONVERSATION = Table(
    "conversation",
    key=("id",),
    grows=True,
    whose="conversation",
    by=("id",),
    purge=Kept("its number is never given again"),
    columns={
        "id": Column(stays="it is never given again"),
        "kind": Column(stays="it says nothing of anybody"),
        "direct_key": Column(Untold.DERIVED, stays="a group has none"),
        "last_seq": Column(stays="what refers to its messages must not refer to newer ones"),
        "last_rev": Column(Untold.DERIVED, stays="it says nothing of anybody"),
        "created": Column(Untold.OURS, stays="it says nothing of anybody"),
        "handle": Column(emptied="NULL"),
        "title": Column(emptied="''"),
        "topic": Column(emptied="''"),
        "join_mode": Column(Untold.OURS, emptied="'invite'"),
        "who_writes": Column(Untold.OURS, stays="it says nothing of anybody"),
        "who_invites": Column(Untold.OURS, stays="it says nothing of anybody"),
        "history": Column(Untold.OURS, stays="it says nothing of anybody"),
        "slow_mode": Column(Untold.OURS, stays="it says nothing of anybody"),
        "retention": Column(Untold.OURS, stays="it says nothing of anybody"),
        "members": Column(Untold.DERIVED, emptied="0"),
        "skeleton": Column(Untold.DERIVED, emptied="NULL"),
    },
    records=(
        Record("conversation", {"conversation": "id", "to": "handle"} | named("kind", "title", "topic", "last_seq")),
    ),
)

MEMBER = Table(
    "member",
    key=("conversation", "account"),
    whose="account",
    by=("account",),
    deletion=Gone("with its conversation"),
    purge=Gone("with its conversation"),
    columns={
        "conversation": Column(refers="conversation", enforced=True),
        "account": Column(Untold.NUMBER, refers="account", enforced=True),
        "delivered_seq": Column(within=("read_seq", "last_seq")),
        "read_seq": Column(within=("0", "delivered_seq")),
        "role": Column(),
        "joined": Column(kind="time"),
        "joined_seq": Column(Untold.OURS, within=("0", "last_seq")),
        "left_seq": Column(Untold.OURS, within=("0", "last_seq")),
        "banned": Column(Untold.OURS),
        "hidden_seq": Column(Untold.OURS, within=("0", "last_seq")),
        "muted_until": Column(Untold.OURS),
        "spoke": Column(Untold.OURS),
        "muted": Column(kind="flag"),
        "archived": Column(kind="flag"),
        "pinned": Column(kind="flag"),
        "name": Column(),
    },
    records=(
        Record(
            "conversation",
            named("conversation", "role", "muted", "archived", "pinned", "delivered_seq", "read_seq"),
        ),
        Record("member", {"username": "name"} | named("role", "joined")),
    ),
)

PENDING = Table(
    "pending",
    key=("conversation", "account"),
    whose="account",
    by=("account",),
    deletion=Gone("in pieces", counted="invitations"),
    purge=Gone("at once"),
    columns={
        "conversation": _OF_CONVERSATION,
        "account": _OF_ACCOUNT,
        "invited_by": _OF_ACCOUNT,
        "time": Column(kind="time"),
    },
    sections=(
        Section(
            "invitations",
            {"group": "c.handle", "username": "a.username"} | named("time"),
            joined="JOIN conversation c ON c.id = pending.conversation"
            " LEFT JOIN account a ON a.id = pending.invited_by",
            order="c.handle",
            shown=True,
        ),
    ),
)

GROUP_LINK = Table(
    "group_link",
    key=("code_hash",),
    whose="conversation",
    by=("conversation",),
    deletion=Kept("it is the group's"),
    purge=Gone("at once"),
    columns={
        "code_hash": Column(Untold.CREDENTIAL),
        "conversation": _OF_CONVERSATION,
        "made_by": _OF_ACCOUNT,
        "uses_left": Column(Untold.OTHERS),
        "expires": Column(Untold.OTHERS),
    },
)

PURGE = Table(
    "purge",
    key=("conversation",),
    whose="conversation",
    by=("conversation",),
    purge=Gone("at the end"),
    columns={"conversation": Column(Untold.OURS, refers="conversation")},
)

TABLES = (CONVERSATION, MEMBER, PENDING, GROUP_LINK, PURGE)
