"""The checker finds each fault, and nothing in a sound run."""

from collections.abc import Callable

import pytest

from tests.rigs.journal import FAULTS, Acknowledged, Delivery, Journal, Kept, Reading, Sent, check

Keeping = dict[tuple[str, str], list[Kept]]


def sound() -> tuple[Journal, Keeping]:
    """Ann and bob talk in conversation 1; the answer to ann's last message was lost."""
    journal = Journal(
        sent=[Sent("ann", "a1", "bob", "hi"), Sent("bob", "b1", "ann", "hello"), Sent("ann", "a2", "bob", "well?")],
        acknowledged=[Acknowledged("ann", "a1", 1, 1), Acknowledged("bob", "b1", 1, 2)],
        told=[Delivery(1, 1, "ann", "hi"), Delivery(1, 2, "bob", "hello")],
    )
    ann = [Kept(1, 1, "ann", "hi", "a1"), Kept(1, 2, "bob", "hello", None), Kept(1, 3, "ann", "well?", "a2")]
    bob = [Kept(1, 1, "ann", "hi", None), Kept(1, 2, "bob", "hello", "b1"), Kept(1, 3, "ann", "well?", None)]
    return journal, {
        (name, way): list(kept) for name, kept in (("ann", ann), ("bob", bob)) for way in ("history", "sync")
    }


def found(journal: Journal, keeping: Keeping) -> set[str]:
    """Name the faults that the checker finds."""
    findings = check(journal, [Reading(*where, 1, kept) for where, kept in keeping.items()])
    assert set(findings) == set(FAULTS)
    return {fault for fault, cases in findings.items() if cases}


def change(keeping: Keeping, alter: Callable[[list[Kept]], list[Kept]]) -> None:
    """Alter what everybody finds."""
    for where, kept in keeping.items():
        keeping[where] = alter(kept)


def as_seen_by(reader: str, *message: int | str) -> Kept:
    """Make a message of conversation 1 that shows its client_id to its sender alone."""
    seq, sender, content, client_id = message
    return Kept(1, int(seq), str(sender), str(content), str(client_id) if reader == sender else None)


def test_a_sound_run_has_no_faults() -> None:
    assert found(*sound()) == set()


def test_lost_at_the_end() -> None:
    journal, keeping = sound()
    journal.acknowledged.append(Acknowledged("ann", "a2", 1, 3))
    change(keeping, lambda kept: kept[:2])
    assert found(journal, keeping) == {"lost"}


def test_never_answered_and_not_kept_is_no_loss() -> None:
    journal, keeping = sound()
    change(keeping, lambda kept: kept[:2])
    assert found(journal, keeping) == set()


def test_lost_in_the_middle_leaves_a_gap_and_makes_the_event_untrue() -> None:
    journal, keeping = sound()
    change(keeping, lambda kept: [kept[0], kept[2]])
    assert found(journal, keeping) == {"lost", "gaps", "untrue"}


def test_everything_lost() -> None:
    journal, _ = sound()
    assert found(journal, {}) == {"lost", "untrue"}


def test_moved() -> None:
    journal, keeping = sound()
    journal.acknowledged[0] = Acknowledged("ann", "a1", 1, 3)
    assert found(journal, keeping) == {"moved"}


def test_doubled_under_one_client_id() -> None:
    journal, keeping = sound()
    for where in keeping:
        keeping[where].append(as_seen_by(where[0], 4, "ann", "well?", "a2"))
    assert found(journal, keeping) == {"doubled"}


def test_doubled_under_another_client_id() -> None:
    journal, keeping = sound()
    for where in keeping:
        keeping[where].append(as_seen_by(where[0], 4, "ann", "well?", "a3"))
    assert found(journal, keeping) == {"doubled", "phantom"}


def test_reordered() -> None:
    journal, keeping = sound()
    journal.sent.reverse()
    assert found(journal, keeping) == {"reordered"}


def test_the_order_between_two_senders_is_free() -> None:
    journal, keeping = sound()
    journal.sent[0], journal.sent[1] = journal.sent[1], journal.sent[0]
    assert found(journal, keeping) == set()


@pytest.mark.parametrize(
    "stranger",
    [(4, "ann", "boo", "a9"), (4, "carl", "hi", "c1"), (4, "bob", "hi", "a1")],
    ids=["content", "sender", "another's message"],
)
def test_phantom(stranger: tuple[int, str, str, str]) -> None:
    journal, keeping = sound()
    for where in keeping:
        keeping[where].append(as_seen_by(where[0], *stranger))
    assert found(journal, keeping) == {"phantom"}


def test_a_client_id_that_belongs_to_another_content() -> None:
    journal, keeping = sound()
    for where in keeping:
        keeping[where][2] = as_seen_by(where[0], 3, "ann", "well?", "a1")
    assert found(journal, keeping) == {"doubled", "phantom"}


def test_an_event_of_what_was_not_kept() -> None:
    journal, keeping = sound()
    journal.told.append(Delivery(1, 4, "bob", "never"))
    assert found(journal, keeping) == {"untrue"}


def test_an_event_with_another_seq() -> None:
    journal, keeping = sound()
    journal.told[1] = Delivery(1, 3, "bob", "hello")
    assert found(journal, keeping) == {"untrue"}


@pytest.mark.parametrize("who", [("bob", "history"), ("ann", "sync")])
def test_readers_that_disagree(who: tuple[str, str]) -> None:
    journal, keeping = sound()
    keeping[who].pop()
    assert found(journal, keeping) == {"divergent"}


def test_a_gap_at_the_beginning() -> None:
    journal, keeping = sound()
    journal.acknowledged.clear()
    journal.told.clear()
    change(keeping, lambda kept: [message._replace(seq=message.seq + 1) for message in kept])
    assert found(journal, keeping) == {"gaps"}
