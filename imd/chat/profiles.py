"""The rules of profiles: finding people, what is shown of them, and what an account says about itself."""

from typing import Any

import attrs

from imd.chat.base import account_log
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
    """List the people whose name or display name begins with the query.

    People who block the caller are found like others, so that a block does not show.
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
    """Show a profile. A disabled account is refused as if it did not exist."""
    return Outcome(_profile(tx, caller, caller.username if command.username is None else command.username))


@writes(wire.SetProfile)
def set_profile(tx: Tx, caller: Caller, command: wire.SetProfile) -> Outcome[wire.Profile]:
    """Change what is given. An empty display name becomes the username."""
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
    return Outcome(
        _profile(tx, caller, caller.username), told=(account_log.note(tx, caller.account, "profile"),), effects=effects
    )


def _profile(tx: Tx, caller: Caller, typed: str) -> wire.Profile:
    """Give a profile as the caller sees it: their own with its settings, another with what it is to them."""
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
        **(_settings(row) if own else _presence(tx, caller, row, kind)),
    )


def _settings(row: sql.Profile) -> dict[str, Any]:
    """Give what only the owner sees of a profile, and what they show themselves as."""
    return {
        "presence": row.presence,
        "presence_text": row.presence_text or None,
        "writers": row.writers,
        "receipts": bool(row.receipts),
        "forwards": bool(row.forwards),
        "findable": bool(row.findable),
    }


def _presence(tx: Tx, caller: Caller, row: sql.Profile, relation: wire.Relation) -> dict[str, Any]:
    """Give an account's presence to friends and members of the same groups; nothing to others."""
    if relation != "friend" and not may_see(tx, caller.account, row.id):
        return {}
    return attrs.asdict(caller.online.visible(row.id, row.last_seen))
