"""The rules of profiles: whom one finds, what one sees of them, what one says of oneself."""

from typing import Any

import attrs

from imd.chat.base.account_log import note
from imd.chat.base.context import Caller
from imd.chat.base.effects import Outcome, SetLanguage
from imd.chat.base.handlers import reads, writes
from imd.chat.base.relations import relation
from imd.store import profiles as sql
from imd.store.presence import may_see
from imd.store.transaction import Tx
from imd.wire import names
from imd.wire import profiles as wire
from imd.wire.fields import timestamp
from imd.wire.refusals import BadName, NoSuchUser


@reads(wire.Find)
def find(tx: Tx, caller: Caller, command: wire.Find) -> Outcome[wire.People]:
    """List the people whose name or display name begins as asked.

    That somebody blocks who asks does not show: they are found as by everybody else.
    """
    start = " ".join(command.query.split())
    rows = sql.find(tx, caller.account, start, command.after, command.limit + 1) if start else []
    people = [
        wire.Person(username=row.username, display_name=row.display_name, friend=bool(row.friend), bio=row.bio or None)
        for row in rows[: command.limit]
    ]
    return Outcome(wire.People(people=people, more=len(rows) > command.limit))


@reads(wire.ShowProfile)
def profile(tx: Tx, caller: Caller, command: wire.ShowProfile) -> Outcome[wire.Profile]:
    """Show a profile. Who is unknown and who is shut look alike."""
    return Outcome(_seen(tx, caller, caller.username if command.username is None else command.username))


@writes(wire.SetProfile)
def set_profile(tx: Tx, caller: Caller, command: wire.SetProfile) -> Outcome[wire.Profile]:
    """Change what is given; a display name of nothing is one's username."""
    display_name = command.display_name
    caller.word_filter.check(display_name, command.bio)
    sql.change(
        tx,
        caller.account,
        display_name=None if display_name is None else names.one_line(display_name) or caller.username,
        bio=None if command.bio is None else command.bio.strip(),
        language=command.language,
        writers=command.writers,
        receipts=command.receipts,
        forwards=command.forwards,
        findable=command.findable,
    )
    effects = (SetLanguage(command.language),) if command.language else ()
    return Outcome(_seen(tx, caller, caller.username), told=(note(tx, caller.account, "profile"),), effects=effects)


def _seen(tx: Tx, caller: Caller, typed: str) -> wire.Profile:
    """Give a profile as I see it: my own with its settings, somebody else's with what they are to me."""
    try:
        row = sql.by_name(tx, names.username(typed))
    except BadName:
        row = None
    if row is None:
        raise NoSuchUser(username=typed[: names.LONGEST])
    own = row.id == caller.account
    kind, name = relation(tx, caller, row.id, row.username)
    return wire.Profile(
        username=row.username,
        display_name=row.display_name,
        bio=row.bio or None,
        language=row.language or None,
        created=timestamp(row.created)[:10],
        relation=kind,
        note=name or None,
        **(_own(row) if own else _presence(tx, caller, row, kind)),
    )


def _own(row: sql.Profile) -> dict[str, Any]:
    """Give what only its owner sees of a profile, and what they show themselves as."""
    return {
        "presence": row.presence,
        "presence_text": row.presence_text or None,
        "writers": row.writers,
        "receipts": bool(row.receipts),
        "forwards": bool(row.forwards),
        "findable": bool(row.findable),
    }


def _presence(tx: Tx, caller: Caller, row: sql.Profile, relation: wire.Relation) -> dict[str, Any]:
    """Give what friends and fellow members see of somebody's presence; others see nothing."""
    if relation != "friend" and not may_see(tx, caller.account, row.id):
        return {}
    return attrs.asdict(caller.online.visible(row.id, row.last_seen))
