"""The tables of messages: what is said, what hangs on it, and the index by which it is found."""

from imd.store.tables.declared import Column, Gone, Kept, Record, Section, Table, Untold, named, plain

_OF_ACCOUNT = Column(Untold.NUMBER, refers="account")
_ON_MESSAGE = Column(within=("1", "last_seq"))
"""The seq of a message that something hangs on."""

REACTION = Table(
    "reaction",
    key=("conversation", "seq", "emoji", "account"),
    whose="message",
    by=("conversation", "seq"),
    deletion=Kept("it is part of what was said to others"),
    purge=Gone("in pieces"),
    columns={
        "conversation": Column(refers="conversation"),
        "seq": _ON_MESSAGE,
        "emoji": Column(),
        "account": Column(refers="account"),
        "time": Column(Untold.DERIVED),
    },
    records=(Record("message", named("conversation", "seq") | {"reactions": "emoji", "users": "account"}),),
)

MENTION = Table(
    "mention",
    key=("conversation", "account", "seq"),
    whose="message",
    by=("conversation", "seq"),
    deletion=Kept("it is part of what others said"),
    purge=Gone("in pieces"),
    columns={
        "conversation": Column(Untold.DERIVED, refers="conversation"),
        "account": Column(Untold.DERIVED, refers="account"),
        "seq": Column(Untold.DERIVED, within=("1", "last_seq")),
    },
)

STAR = Table(
    "star",
    key=("account", "conversation", "seq"),
    whose="account",
    by=("account",),
    deletion=Gone("in pieces", counted="stars"),
    purge=Gone("in pieces"),
    columns={
        "account": _OF_ACCOUNT,
        "conversation": Column(refers="conversation"),
        "seq": _ON_MESSAGE,
        "time": Column(kind="time"),
    },
    sections=(Section("starred", named("conversation", "seq", "time"), order="star.conversation, star.seq"),),
)

HIDDEN = Table(
    "hidden",
    key=("account", "conversation", "seq"),
    whose="account",
    by=("account",),
    deletion=Gone("in pieces", counted="hidden"),
    purge=Gone("in pieces"),
    columns={"account": _OF_ACCOUNT, "conversation": Column(refers="conversation"), "seq": _ON_MESSAGE},
    sections=(Section("hidden", named("conversation", "seq"), order="hidden.conversation, hidden.seq"),),
)

MESSAGE = Table(
    "message",
    key=("id",),
    grows=True,
    whose="message",
    by=("conversation", "seq"),
    deletion=Kept(
        "others hold it as well; it is emptied if its sender says so, and goes when nobody is left to read it"
    ),
    purge=Gone("in pieces"),
    columns={
        "id": Column(Untold.NUMBER),
        "conversation": Column(refers="conversation"),
        "seq": Column(within=("1", "last_seq")),
        "rev": Column(within=("1", "last_rev")),
        "sender": Column(refers="account"),
        "client_id": Column(),
        "time": Column(kind="time"),
        "kind": Column(),
        "content": Column(),
        "reply_to": Column(),
        "edited": Column(kind="time"),
        "recalled": Column(kind="time"),
        "burned": Column(kind="time"),
        "burn_after": Column(),
        "expires": Column(kind="time"),
        "forwarded": Column(),
        "pinned": Column(kind="time"),
        "mentions": Column(),
        "reacted": Column(Untold.DERIVED),
        "burning": Column(Untold.NUMBER, refers="burning_words"),
    },
    records=(
        Record(
            "message",
            named(
                *("conversation", "seq", "rev", "sender", "client_id", "time", "kind", "content", "reply_to", "edited"),
                *("recalled", "burned", "burn_after", "expires", "forwarded", "pinned", "mentions"),
            ),
        ),
    ),
    triggers=("message_reworded", "message_gone"),
)

BURNING_WORDS = Table(
    "burning_words",
    key=("id",),
    grows=True,
    whose="message",
    deletion=Gone("with its conversation"),
    purge=Gone("with its conversation"),
    columns={"id": Column(Untold.NUMBER), "words": Column(Untold.BURNS)},
)

SEARCH_INDEX = Table(
    "search_index",
    whose="message",
    deletion=Gone("by a trigger"),
    purge=Gone("by a trigger"),
    columns=plain("place", "words", untold=Untold.DERIVED),
    shadows=("search_index_config", "search_index_content", "search_index_data", "search_index_idx"),
)

SEARCH_STATE = Table("search_state", columns=plain("indexed", "erased", "tidying", "tidied", untold=Untold.OURS))

SEARCH_AGAIN = Table(
    "search_again",
    key=("message",),
    whose="message",
    by=("message",),
    deletion=Gone("by a trigger"),
    purge=Gone("by a trigger"),
    columns={"message": Column(Untold.DERIVED, refers="message")},
)

SEARCH_DAY = Table("search_day", key=("day",), columns=plain("day", "lowest", "highest", untold=Untold.OURS))

TABLES = (
    *(REACTION, MENTION, STAR, HIDDEN, MESSAGE, BURNING_WORDS),
    *(SEARCH_INDEX, SEARCH_STATE, SEARCH_AGAIN, SEARCH_DAY),
)
