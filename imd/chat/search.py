"""The rules of search: understanding a query, finding only what the caller may read, keeping the index up to date."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, get_args

from imd.chat.base.access import account_named, find
from imd.chat.base.context import Caller
from imd.chat.base.effects import Outcome
from imd.chat.base.handlers import reads
from imd.chat.base.jobs import JobResult, job
from imd.chat.base.render import mixed_page
from imd.store import search as sql
from imd.store.transaction import Tx
from imd.store.words import is_sign, words
from imd.wire import search as wire
from imd.wire.fields import BIGGEST
from imd.wire.messages import Addressed, Kind
from imd.wire.refusals import BadRequest

SHORTEST_BEGINNING = 2
"""How many letters the `meet` of `meet*` needs: too many words begin with one given letter."""

KINDS = get_args(Kind)

PAUSE = 50
"""Milliseconds between two pieces of indexing, in which other writes have their turn."""


@reads(wire.Search)
def search(tx: Tx, caller: Caller, command: wire.Search) -> Outcome[wire.Found]:
    """Find messages that the caller may read.

    The index is asked for the caller's conversations, but holds no rights that could be stale: whether a message may
    be seen is read from its row.
    """
    found = sql.find(tx, _parse(tx, caller, command.query), command.before or BIGGEST, command.limit)
    page, covered = mixed_page(tx, caller, [(hit.conversation, hit.seq) for hit in found.hits])
    before = found.before if covered == len(found.hits) else found.hits[covered - 1].message
    return Outcome(wire.Found(messages=page, more=before is not None, before=before))


def _parse(tx: Tx, caller: Caller, query: str) -> sql.Asked:
    """Parse a query, or refuse it."""
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
    """Give the words of a quoted phrase, or of text typed without a space: a message must have them side by side."""
    typed = quoted or bare or ""
    found = words(typed)
    beginning = bare is not None and bool(found) and bare.endswith(("*", "＊")) and not is_sign(found[-1])
    if beginning and len(found[-1]) < SHORTEST_BEGINNING:
        raise BadRequest("beginning")
    return [sql.Phrase(tuple(found), beginning)] if found else []


# -- filters


def _sender(tx: Tx, caller: Caller, name: str, value: str) -> int:
    return account_named(tx, value).id


def _conversation(tx: Tx, caller: Caller, name: str, value: str) -> int:
    return find(tx, caller, Addressed(to=value)).id


def _kind(tx: Tx, caller: Caller, name: str, value: str) -> str:
    if (kind := value.lower()) not in KINDS:
        raise BadRequest("choice", field=name, choices=", ".join(KINDS))
    return kind


def _time(tx: Tx, caller: Caller, name: str, value: str) -> int:
    """Give the beginning of a day, in milliseconds since 1970."""
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
    """Take new messages into the index, in pieces; once a day, remove what was deleted from its files.

    Sends do not write the index: that would double the writer's time for a message, and take 25 ms now and then.
    """
    return JobResult(again=now + PAUSE if sql.index(tx) else None)
