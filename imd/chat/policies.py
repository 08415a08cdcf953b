"""The rules of policies: what admins set while the server runs. The server applies it in memory (ApplyPolicy)."""

import attrs
import msgspec

from imd.chat.base.context import Caller
from imd.chat.base.effects import ApplyPolicy, Outcome
from imd.chat.base.handlers import reads, writes
from imd.chat.base.word_filter import MOST, WordFilter, plain
from imd.store import policies as sql
from imd.store.transaction import Tx
from imd.wire import policies as wire
from imd.wire.base import Done
from imd.wire.refusals import BadRequest, QuotaExceeded


def standing(tx: Tx) -> ApplyPolicy:
    """Give what admins have set. It is applied after each change, and when the server starts."""
    values = sql.values(tx)
    registration = values.pop("registration", None)
    limits = {name: int(value) for name, value in values.items()}
    return ApplyPolicy(registration, limits, WordFilter.of(sql.words(tx)))


def _in_force(caller: Caller) -> wire.Policies:
    limits = {name: getattr(caller.limits, name) for name in wire.Policies.__struct_fields__ if name != "registration"}
    return wire.Policies(registration=caller.registration, **limits)


@reads(wire.PolicyShow)
def policy_show(tx: Tx, caller: Caller, command: wire.PolicyShow) -> Outcome[wire.Policies]:
    """Show the policies in force, whether set by an admin or configured."""
    return Outcome(_in_force(caller))


@writes(wire.PolicySet)
def policy_set(tx: Tx, caller: Caller, command: wire.PolicySet) -> Outcome[wire.Policies]:
    """Set the policies that are given."""
    given = {name: value for name, value in msgspec.structs.asdict(command).items() if value is not None}
    if not given:
        raise BadRequest("policy")
    for name, value in given.items():
        sql.put(tx, name, str(value))
    limits = {name: value for name, value in given.items() if name != "registration"}
    now = attrs.evolve(
        caller,
        registration=command.registration or caller.registration,
        limits=attrs.evolve(caller.limits, **limits),
    )
    return Outcome(_in_force(now), effects=(standing(tx),))


@writes(wire.PolicyReset)
def policy_reset(tx: Tx, caller: Caller, command: wire.PolicyReset) -> Outcome[Done]:
    """Drop what admins have set: what is configured holds again. Forbidden words stay."""
    sql.clear(tx)
    return Outcome(Done(), effects=(standing(tx),))


@writes(wire.WordAdd)
def word_add(tx: Tx, caller: Caller, command: wire.WordAdd) -> Outcome[Done]:
    """Forbid a word, in its plain spelling."""
    word = plain(command.word)
    if not word:
        raise BadRequest("word")
    sql.add_word(tx, word)
    if len(sql.words(tx)) > MOST:
        raise QuotaExceeded("words", limit=MOST)
    return Outcome(Done(), effects=(standing(tx),))


@reads(wire.ListWords)
def word_list(tx: Tx, caller: Caller, command: wire.ListWords) -> Outcome[wire.WordList]:
    """List the forbidden words."""
    return Outcome(wire.WordList(words=sql.words(tx)))


@writes(wire.WordRemove)
def word_remove(tx: Tx, caller: Caller, command: wire.WordRemove) -> Outcome[Done]:
    """Allow a word again, whether or not it was forbidden."""
    sql.drop_word(tx, plain(command.word))
    return Outcome(Done(), effects=(standing(tx),))
