"""The rules of search: what a query says, and that nobody finds what they may not read."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, get_args

from imd.chat.base.access import Conversation, account_named, by_number, find
from imd.chat.base.context import Caller
from imd.chat.base.effects import Outcome
from imd.chat.base.handlers import reads
from imd.chat.base.jobs import JobResult, job
from imd.chat.base.render import PageBudget, rendered
from imd.store import messages
from imd.store import search as sql
from imd.store.transaction import Tx
from imd.store.words import is_sign, words
from imd.wire import search as wire
from imd.wire.fields import BIGGEST
from imd.wire.messages import Addressed, Kind, Message
from imd.wire.refusals import BadRequest

SOON = 1_000
"""After how many milliseconds a new or changed message is indexed. It is found before that, too."""

SHORTEST_BEGINNING = 2
"""How many letters. One would be the beginning of half of all words."""

KINDS = get_args(Kind)

PAUSE = 50
"""Milliseconds between two pieces of indexing, for everybody else's writes."""


@reads(wire.Search)
def search(tx: Tx, caller: Caller, command: wire.Search) -> Outcome[wire.Found]:
    """Find what I may read."""
    found = sql.find(tx, _asked(tx, caller, command.query), command.before or BIGGEST, command.limit)
    return Outcome(_shown(tx, caller, found))


def _shown(tx: Tx, caller: Caller, found: sql.Found) -> wire.Found:
    """Turn what was found into what I see, each message as its own conversation would show it."""
    places: dict[int, Conversation] = {}
    listed: list[Message] = []
    room, last = PageBudget(), 0
    for hit in found.hits:
        conversation = places.get(hit.conversation) or places.setdefault(
            hit.conversation, by_number(tx, caller, hit.conversation)
        )
        if row := messages.visible(tx, conversation.seen, hit.seq):
            if not room.takes(row):
                return wire.Found(messages=listed, more=True, before=last)
            listed += rendered(tx, [row], caller.account, conversation.to)
            last = hit.message
    return wire.Found(messages=listed, more=found.before is not None, before=found.before)


def _asked(tx: Tx, caller: Caller, query: str) -> sql.Asked:
    """Understand a query, or refuse it."""
    phrases: list[sql.Phrase] = []
    narrowed: dict[str, Any] = {}
    query, at = query.strip(), 0
    while at < len(query):
        part = _PART.match(query, at)
        if part is None or not part[0]:
            raise BadRequest("quote")
        at = part.end()
        if part["filter"] is None:
            phrases += _phrase(part["quoted"], part["bare"])
            continue
        name = part["filter"].lower()
        field, understand = _FILTERS[name]
        if field in narrowed:
            raise BadRequest("doubled")
        if not (value := part["quoted"] or part["bare"]):
            raise BadRequest("filter", filter=name)
        narrowed[field] = understand(tx, caller, name, value)
    if not phrases and not narrowed.keys() & {"sender", "conversation", "kind"}:
        raise BadRequest("nothing_to_find")
    return sql.Asked(caller.account, tuple(phrases), **narrowed)


def _phrase(quoted: str | None, bare: str | None) -> list[sql.Phrase]:
    """Give the words of a phrase, or of what was typed without a space, which stand together as well."""
    typed = quoted or bare or ""
    found = words(typed)
    beginning = bare is not None and bool(found) and bare.endswith(("*", "＊")) and not is_sign(found[-1])
    if beginning and len(found[-1]) < SHORTEST_BEGINNING:
        raise BadRequest("beginning")
    return [sql.Phrase(tuple(found), beginning)] if found else []


# -- what narrows


def _sender(tx: Tx, caller: Caller, name: str, value: str) -> int:
    return account_named(tx, value).id


def _conversation(tx: Tx, caller: Caller, name: str, value: str) -> int:
    return find(tx, caller, Addressed(to=value)).id


def _kind(tx: Tx, caller: Caller, name: str, value: str) -> str:
    if (kind := value.lower()) not in KINDS:
        raise BadRequest("choice", field=name, choices=", ".join(KINDS))
    return kind


def _time(tx: Tx, caller: Caller, name: str, value: str) -> int:
    """Give when a day begins, in milliseconds since 1970."""
    try:
        day = datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise BadRequest("date", filter=name) from None
    return int(day.timestamp()) * 1000


_FILTERS: dict[str, tuple[str, Callable[[Tx, Caller, str, str], Any]]] = {
    "from": ("sender", _sender),
    "in": ("conversation", _conversation),
    "kind": ("kind", _kind),
    "after": ("since", _time),
    "before": ("until", _time),
}
_PART = re.compile(
    rf"""(?:(?P<filter>{"|".join(_FILTERS)})[:：])?(?:["“”](?P<quoted>[^"“”]*)["“”]|(?P<bare>[^\s"“”]+))?\s*""",
    re.IGNORECASE,
)


@job
def index(tx: Tx, now: int) -> JobResult:
    """Bring the index up to date, in pieces."""
    return JobResult(again=now + PAUSE if sql.index(tx) else None)
