"""People who leave for good: what the tests of deletion share."""

from typing import Any

from imd.chat.base.context import Caller
from imd.chat.base.effects import Delivery
from imd.chat.deletion import destroy
from imd.wire.accounts import Login
from imd.wire.deletion import DeleteAccount, Deleted
from imd.wire.messages import SendMessage
from imd.wire.personal import DeleteForMe, Mute, Star
from imd.wire.reactions import React
from tests.chat.rules import PASSWORD, Rules
from tests.chat.test_burning import group

SECRET = "the key is under the mat"


def say(rules: Rules, caller: Caller, to: str, content: str, **fields: Any) -> Any:
    return rules.asks(caller, SendMessage(to=to, content=content, **fields))


def told_by(rules: Rules) -> list[Delivery]:
    """Let everything be destroyed; gives what was told."""
    told: list[Delivery] = []
    while (done := rules.in_transaction(lambda tx: destroy(tx, rules.now))).again is not None:
        told += done.told
        rules.now = max(rules.now, done.again)
    return told


def end(rules: Rules, caller: Caller, **fields: Any) -> Deleted:
    """Delete an account, and let everything be destroyed."""
    receipt = rules.asks(caller, DeleteAccount(password=PASSWORD, **fields))
    told_by(rules)
    assert isinstance(receipt, Deleted)
    return receipt


def counted(receipt: Deleted) -> tuple[dict[str, int], dict[str, int]]:
    return {each.what: each.count for each in receipt.destroyed}, {each.what: each.count for each in receipt.kept}


def rows(rules: Rules, table: str, where: str = "1") -> list[Any]:
    return rules.tx.execute(f"SELECT * FROM {table} WHERE {where}").fetchall()


def lived(rules: Rules, ann: Caller, bob: Caller, cid: Caller) -> Caller:
    """Ann's: talks with two people and in a group, notes, a star, a hidden message, a setting, a second device."""
    group(rules, ann, bob)
    for _ in range(3):
        say(rules, ann, "bob", f"to bob: {SECRET}")
        say(rules, bob, "ann", "from bob")
    say(rules, ann, "#team", "to all")
    say(rules, bob, "#team", "from bob")
    say(rules, ann, "cid", "to cid")
    for _ in range(4):
        say(rules, ann, "ann", f"a note: {SECRET}")
    rules.asks(ann, Star(to="bob", seq=2))
    rules.asks(bob, Star(to="ann", seq=1))
    rules.asks(ann, DeleteForMe(to="bob", seq=4))
    rules.asks(ann, Mute(to="bob"))
    rules.asks(ann, React(to="bob", seq=2, emoji="👍"))
    rules.asks(rules.stranger(), Login(username="ann", password=PASSWORD, device="laptop"))
    return ann
