"""The rules of policies: what admins set while the server runs. The house holds it in memory, see `Govern` in lanes."""

import attrs
import msgspec

from imd.chat.lanes import Govern, Me, Outcome, reads, writes
from imd.chat.words import MOST, Words, plain
from imd.store import policies as sql
from imd.store.transaction import Tx
from imd.wire import policies as wire
from imd.wire.base import Done
from imd.wire.refusals import BadRequest, QuotaExceeded


def standing(tx: Tx) -> Govern:
    """Give what admins have set: after each change, and when the server starts."""
    values = sql.values(tx)
    registration = values.pop("registration", None)
    limits = {name: int(value) for name, value in values.items()}
    return Govern(registration, limits, Words.of(sql.words(tx)))


def _shown(me: Me) -> wire.Policies:
    limits = {name: getattr(me.limits, name) for name in wire.Policies.__struct_fields__ if name != "registration"}
    return wire.Policies(registration=me.registration, **limits)


@reads(wire.PolicyShow)
def policy_show(tx: Tx, me: Me, command: wire.PolicyShow) -> Outcome[wire.Policies]:
    """Show what holds, whoever said so."""
    return Outcome(_shown(me))


@writes(wire.PolicySet)
def policy_set(tx: Tx, me: Me, command: wire.PolicySet) -> Outcome[wire.Policies]:
    """Set what was given."""
    given = {name: value for name, value in msgspec.structs.asdict(command).items() if value is not None}
    if not given:
        raise BadRequest("policy")
    for name, value in given.items():
        sql.put(tx, name, str(value))
    limits = {name: value for name, value in given.items() if name != "registration"}
    now = attrs.evolve(
        me,
        registration=command.registration or me.registration,
        limits=attrs.evolve(me.limits, **limits),
    )
    return Outcome(_shown(now), effects=(standing(tx),))


@writes(wire.PolicyReset)
def policy_reset(tx: Tx, me: Me, command: wire.PolicyReset) -> Outcome[Done]:
    """Go back to what is configured."""
    sql.clear(tx)
    return Outcome(Done(), effects=(standing(tx),))


@writes(wire.WordAdd)
def word_add(tx: Tx, me: Me, command: wire.WordAdd) -> Outcome[Done]:
    """Put a word on the list, in its plain spelling."""
    word = plain(command.word)
    if not word:
        raise BadRequest("word")
    sql.add_word(tx, word)
    if len(sql.words(tx)) > MOST:
        raise QuotaExceeded("words", limit=MOST)
    return Outcome(Done(), effects=(standing(tx),))


@reads(wire.ListWords)
def word_list(tx: Tx, me: Me, command: wire.ListWords) -> Outcome[wire.WordList]:
    """List the words."""
    return Outcome(wire.WordList(words=sql.words(tx)))


@writes(wire.WordRemove)
def word_remove(tx: Tx, me: Me, command: wire.WordRemove) -> Outcome[Done]:
    """Take a word off the list, whether or not it was on it."""
    sql.drop_word(tx, plain(command.word))
    return Outcome(Done(), effects=(standing(tx),))
