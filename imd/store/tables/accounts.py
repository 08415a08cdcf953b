"""The tables of accounts: what people are called, log in with and set, and what they are to one another."""

from imd.store.tables.declared import Column, Gone, Kept, Record, Section, Table, Untold, named, plain

TOMBSTONE = "deleted-"
"""How the name of a deleted account begins, and of nobody else's."""

_OF_ACCOUNT = Column(Untold.NUMBER, refers="account", enforced=True)

ACCOUNT = Table(
    "account",
    key=("id",),
    grows=True,
    whose="account",
    by=("id",),
    deletion=Kept("as a tombstone: what it said to others is theirs as well, and refers to it"),
    columns={
        "id": Column(Untold.NUMBER, stays="others' rows refer to it"),
        "username": Column(emptied=f"'{TOMBSTONE}' || id"),
        "display_name": Column(emptied=f"'{TOMBSTONE}' || id"),
        "password_hash": Column(Untold.CREDENTIAL, emptied="''"),
        "admin": Column(kind="flag", emptied="0"),
        "disabled": Column(Untold.OURS, emptied="1"),
        "created": Column(kind="time", emptied="0"),
        "log_n": Column(Untold.DERIVED, stays="the log goes on to the end of the deletion, which sets it to 0"),
        "display_key": Column(Untold.DERIVED, emptied="''"),
        "bio": Column(emptied="''"),
        "language": Column(emptied="''"),
        "writers": Column(emptied="'everyone'"),
        "receipts": Column(kind="flag", emptied="1"),
        "forwards": Column(kind="flag", emptied="1"),
        "findable": Column(kind="flag", emptied="0"),
        "presence": Column(emptied="'invisible'"),
        "presence_text": Column(emptied="''"),
        "last_seen": Column(kind="time", emptied="0"),
        "announced": Column(Untold.OURS, emptied="0"),
        "deleted": Column(Untold.OURS, emptied="?"),
        "skeleton": Column(Untold.DERIVED, emptied="NULL"),
    },
    sections=(
        Section(
            "account",
            named(
                *("username", "display_name", "bio", "language", "writers", "receipts", "forwards", "findable"),
                *("presence", "presence_text", "admin", "created", "last_seen"),
            ),
            order="account.id",
        ),
    ),
)

DEVICE = Table(
    "device",
    key=("id",),
    whose="account",
    by=("account",),
    deletion=Gone("at once"),
    columns={
        "id": Column(Untold.NUMBER),
        "account": _OF_ACCOUNT,
        "label": Column(),
        "token_hash": Column(Untold.CREDENTIAL),
        "created": Column(kind="time"),
        "last_seen": Column(kind="time"),
    },
    sections=(
        Section(
            "devices",
            {"device": "label"} | named("created", "last_seen"),
            order="device.created, device.id",
            shown=True,
        ),
    ),
)

SECOND_FACTOR = Table(
    "second_factor",
    key=("account",),
    whose="account",
    by=("account",),
    deletion=Gone("at once"),
    columns={"account": Column(Untold.NUMBER, refers="account")}
    | plain("secret", "since", "last_step", untold=Untold.CREDENTIAL),
)

RECOVERY_CODE = Table(
    "recovery_code",
    key=("account", "code_hash"),
    whose="account",
    by=("account",),
    deletion=Gone("at once"),
    columns={"account": Column(Untold.NUMBER, refers="account"), "code_hash": Column(Untold.CREDENTIAL)},
)

_OTHER = "JOIN account a ON a.id = relation.other"

RELATION = Table(
    "relation",
    key=("account", "other"),
    whose="account",
    by=("account",),
    deletion=Gone("in pieces", counted="people"),
    columns={
        "account": _OF_ACCOUNT,
        "other": _OF_ACCOUNT,
        "kind": Column(Untold.DERIVED),
        "note": Column(),
        "since": Column(kind="time"),
    },
    sections=(
        Section(
            "friends",
            {"username": "a.username", "display_name": "a.display_name"} | named("note", "since"),
            joined=_OTHER,
            where="relation.account = ? AND relation.kind = 'friend'",
            order="a.username",
            shown=True,
        ),
        Section(
            "blocked",
            {"username": "a.username"} | named("since"),
            joined=_OTHER,
            where="relation.account = ? AND relation.kind = 'block'",
            order="a.username",
            shown=True,
        ),
        Section(
            "declined",
            {"username": "a.username"} | named("since"),
            joined=_OTHER,
            where="relation.account = ? AND relation.kind = 'decline'",
            order="a.username",
            shown=True,
        ),
    ),
)

FRIEND_REQUEST = Table(
    "friend_request",
    key=("asker", "username"),
    whose="account",
    by=("asker",),
    deletion=Gone("in pieces", counted="requests"),
    columns={
        "asker": _OF_ACCOUNT,
        "username": Column(),
        "note": Column(),
        "time": Column(kind="time"),
        "state": Column(Untold.OTHERS),
    },
    sections=(
        Section(
            "asked",
            named("username", "note", "time"),
            where="friend_request.asker = ? AND friend_request.state <> 'withdrawn'",
            order="friend_request.username",
            shown=True,
        ),
        Section(
            "asking",
            {"username": "a.username"} | named("note", "time"),
            joined="JOIN account me ON me.username = friend_request.username"
            " JOIN account a ON a.id = friend_request.asker",
            where="me.id = ? AND friend_request.state <> 'withdrawn' AND a.disabled = 0",
            order="a.username",
            shown=True,
        ),
    ),
)

ACCOUNT_LOG = Table(
    "account_log",
    key=("account", "n"),
    whose="account",
    by=("account",),
    deletion=Gone("in pieces", counted="log"),
    purge=Kept("each member's log says that they are in it no more"),
    columns={
        "account": Column(Untold.NUMBER, refers="account"),
        "n": Column(),
        "thing": Column(Untold.DERIVED),
        "what": Column(),
        "data": Column(),
    },
    records=(Record("change", named("n", "what", "data")),),
)

RETIRED_NAME = Table(
    "retired_name",
    key=("username",),
    columns=plain("username", "time", "skeleton", untold=Untold.OURS),
    deletion=Kept("nobody gets the name again; whose it was is not kept"),
)

DELETION = Table(
    "deletion",
    key=("account",),
    whose="account",
    by=("account",),
    deletion=Gone("at the end"),
    purge=Kept("it is only how far a deletion has come"),
    columns={
        "account": Column(Untold.NUMBER, refers="account"),
        "conversation": Column(Untold.OURS, refers="conversation"),
    }
    | plain("username", "time", "recall", "blanked", "seq", untold=Untold.OURS),
)

TABLES = (ACCOUNT, DEVICE, SECOND_FACTOR, RECOVERY_CODE, RELATION, FRIEND_REQUEST)

AT_LAST = (ACCOUNT_LOG, RETIRED_NAME, DELETION)
"""Of an account that is deleted, its log goes after everything else that is its own: what goes may still add to it."""
