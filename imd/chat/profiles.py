"""The rules of profiles: whom one finds, what one sees of them, what one says of oneself."""

from imd.chat.account_log import note
from imd.chat.friends import relation
from imd.chat.lanes import Me, Outcome, Speak, reads, writes
from imd.store import profiles as sql
from imd.store.transaction import Tx
from imd.wire import names
from imd.wire import profiles as wire
from imd.wire.fields import timestamp
from imd.wire.refusals import BadName, NoSuchUser


@reads(wire.Find)
def find(tx: Tx, me: Me, command: wire.Find) -> Outcome[wire.People]:
    """List the people whose name or display name begins as asked.

    That somebody blocks who asks does not show: they are found as by everybody else.
    """
    start = " ".join(command.query.split())
    rows = sql.find(tx, me.account, start, command.after, command.limit + 1) if start else []
    people = [
        wire.Person(username=row.username, display_name=row.display_name, friend=bool(row.friend), bio=row.bio or None)
        for row in rows[: command.limit]
    ]
    return Outcome(wire.People(people=people, more=len(rows) > command.limit))


@reads(wire.ShowProfile)
def profile(tx: Tx, me: Me, command: wire.ShowProfile) -> Outcome[wire.Profile]:
    """Show a profile. Who is unknown and who is shut look alike."""
    return Outcome(_seen(tx, me, me.username if command.username is None else command.username))


@writes(wire.SetProfile)
def set_profile(tx: Tx, me: Me, command: wire.SetProfile) -> Outcome[wire.Profile]:
    """Change what is given; a display name of nothing is one's username."""
    display_name = command.display_name
    sql.change(
        tx,
        me.account,
        display_name=None if display_name is None else names.shown(display_name) or me.username,
        bio=None if command.bio is None else command.bio.strip(),
        language=command.language,
        writers=command.writers,
        receipts=command.receipts,
        forwards=command.forwards,
        findable=command.findable,
    )
    effects = (Speak(command.language),) if command.language else ()
    return Outcome(_seen(tx, me, me.username), told=(note(tx, me.account, "profile"),), effects=effects)


def _seen(tx: Tx, me: Me, typed: str) -> wire.Profile:
    """Give a profile as I see it: my own with its settings, somebody else's with what they are to me."""
    try:
        row = sql.by_name(tx, names.username(typed))
    except BadName:
        row = None
    if row is None:
        raise NoSuchUser(username=typed[: names.LONGEST])
    own = row.id == me.account
    kind: wire.Relation = "self"
    name = ""
    if not own:
        kind, name = relation(tx, me, row.id, row.username)
    return wire.Profile(
        username=row.username,
        display_name=row.display_name,
        bio=row.bio or None,
        language=row.language or None,
        created=timestamp(row.created)[:10],
        relation=kind,
        note=name or None,
        writers=row.writers if own else None,
        receipts=bool(row.receipts) if own else None,
        forwards=bool(row.forwards) if own else None,
        findable=bool(row.findable) if own else None,
    )
