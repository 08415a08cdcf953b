"""The tables of the server as a whole: what admins do and set, and what is reported to them."""

from imd.store.tables.declared import Column, Kept, Section, Table, Untold, named, plain

INVITE = Table(
    "invite",
    key=("number",),
    columns=plain("number", "uses_left", "expires", "admin", untold=Untold.OURS)
    | {"code_hash": Column(Untold.CREDENTIAL)},
)

ANNOUNCEMENT = Table(
    "announcement",
    key=("number",),
    deletion=Kept("names as they were then: it was said to everybody"),
    columns=plain("number", "time", "expires", "author", "content", untold=Untold.OTHERS),
)

REPORT = Table(
    "report",
    key=("number",),
    whose="account",
    by=("reporter",),
    deletion=Kept("admins answer for what they did with it"),
    purge=Kept("nobody may get rid of it by deleting the group"),
    columns={
        "number": Column(Untold.NUMBER),
        "reporter": Column(Untold.NUMBER, refers="account"),
        "conversation": Column(refers="conversation"),
        "seq": Column(),
        "sender": Column(Untold.OTHERS, refers="account"),
        "time": Column(kind="time"),
        "kind": Column(Untold.OTHERS),
        "content": Column(Untold.OTHERS),
        "reason": Column(),
        "resolved": Column(Untold.OTHERS),
        "resolver": Column(Untold.OTHERS),
        "note": Column(Untold.OTHERS),
    },
    sections=(
        Section("reports", named("conversation", "seq", "reason", "time"), order="report.conversation, report.seq"),
    ),
)

POLICY = Table("policy", key=("name",), columns=plain("name", "value", untold=Untold.OURS))

WORD = Table("word", key=("word",), columns=plain("word", untold=Untold.OURS))

AUDIT = Table(
    "audit",
    key=("number",),
    deletion=Kept("names as they were then: rows are only ever added"),
    columns=plain("number", "time", "author", "action", "arguments", "result", untold=Untold.OTHERS),
)

LIFE = Table("life", key=("one",), columns=plain("one", "epoch", untold=Untold.OURS))

FORGETTING = Table("forgetting", columns=plain("noted", "cleaned", untold=Untold.OURS))

TABLES = (INVITE, ANNOUNCEMENT, REPORT, POLICY, WORD, AUDIT, LIFE, FORGETTING)
