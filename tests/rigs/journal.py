"""What the senders did and heard, what the daemon kept, and what is wrong between the two. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import attrs


class Sent(NamedTuple):
    """A message that a sender sent. A sender never sends the same content twice, except again under its client_id."""

    sender: str
    client_id: str
    to: str
    content: str


class Acknowledged(NamedTuple):
    """The daemon answered `success`; `duplicate`: it had stored the message before, and the answer was lost."""

    sender: str
    client_id: str
    conversation: int
    seq: int
    duplicate: bool = False


class Delivery(NamedTuple):
    """The daemon told somebody of a message by an event."""

    conversation: int
    seq: int
    sender: str
    content: str


class Kept(NamedTuple):
    """A message as a reader finds it; `client_id` is shown to its sender alone."""

    conversation: int
    seq: int
    sender: str
    content: str
    client_id: str | None


@attrs.define
class Journal:
    """Everything that happened, as the senders saw it; `sent` in the order of sending."""

    sent: list[Sent] = attrs.field(factory=list)
    acknowledged: list[Acknowledged] = attrs.field(factory=list)
    told: list[Delivery] = attrs.field(factory=list)


class Reading(NamedTuple):
    """What one reader found in one conversation, in one way: by `history` or by `sync`."""

    reader: str
    way: str
    conversation: int
    messages: list[Kept]


FAULTS = {
    "lost": "acknowledged, and not kept",
    "moved": "kept under another seq than the acknowledged one",
    "doubled": "one client_id or one content kept twice",
    "reordered": "one sender's messages in another order than they were sent",
    "phantom": "kept, and never sent so",
    "gaps": "seq is not dense from 1",
    "untrue": "told by an event, and not kept so",
    "divergent": "two readers, or history and sync, find different things",
}
"""Every fault the checker knows, in a few words."""

Findings = dict[str, list[str]]
"""Fault -> a line for each case."""


def check(journal: Journal, readings: Iterable[Reading]) -> Findings:
    """Compare what was heard with what is kept. Every fault is a key; a sound run has no lines."""
    findings: Findings = {fault: [] for fault in FAULTS}
    kept = list(_kept(list(readings), findings["divergent"]))
    findings["lost"], findings["moved"] = _acknowledged_and_kept(journal, kept)
    findings["doubled"] = list(_repeated(kept))
    findings["reordered"] = list(_reordered(journal, kept))
    findings["phantom"] = list(_phantom(journal, kept))
    findings["gaps"] = list(_gaps(kept))
    findings["untrue"] = [str(told) for told in set(journal.told) - {Delivery(*message[:4]) for message in kept}]
    return findings


def _kept(readings: list[Reading], divergent: list[str]) -> Iterator[Kept]:
    """Give each kept message once, with the client_id that its sender sees; note where readers disagree."""
    by_conversation: dict[int, list[Reading]] = defaultdict(list)
    for reading in readings:
        by_conversation[reading.conversation].append(reading)
    for conversation, alike in by_conversation.items():
        first = alike[0]
        client_ids = {}
        for reading in alike:
            if [message[:4] for message in reading.messages] != [message[:4] for message in first.messages]:
                divergent.append(f"conversation {conversation}: {reading[:2]} and {first[:2]}")
            client_ids.update({message[:4]: message.client_id for message in reading.messages if message.client_id})
        for message in first.messages:
            yield message._replace(client_id=client_ids.get(message[:4]))


def _acknowledged_and_kept(journal: Journal, kept: list[Kept]) -> tuple[list[str], list[str]]:
    places: dict[tuple[str, str | None], set[tuple[int, int]]] = defaultdict(set)
    for message in kept:
        places[message.sender, message.client_id].add((message.conversation, message.seq))
    lost, moved = [], []
    for answer in journal.acknowledged:
        found = places.get((answer.sender, answer.client_id))
        if not found:
            lost.append(str(answer))
        elif (answer.conversation, answer.seq) not in found:
            moved.append(f"{answer} is at {sorted(found)}")
    return lost, moved


def _repeated(kept: list[Kept]) -> Iterator[str]:
    seen: dict[tuple[str, str, str | None], Kept] = {}
    for message in kept:
        keys = [(message.sender, field, getattr(message, field)) for field in ("client_id", "content")]
        twice = [key for key in keys if key[2] is not None and key in seen]
        if twice:
            yield f"{message} is also at {seen[twice[0]][:2]}"
        seen.update(dict.fromkeys(keys, message))


def _reordered(journal: Journal, kept: list[Kept]) -> Iterator[str]:
    """Compare the order of seq with the order of sending, the first of doubled ones counting."""
    order = {(sent.sender, sent.content): number for number, sent in enumerate(journal.sent)}
    newest: dict[tuple[int, str], int] = {}
    seen = set()
    for message in sorted(kept, key=lambda each: each[:2]):
        number = order.get((message.sender, message.content))
        if number is None or number in seen:
            continue
        seen.add(number)
        talk = (message.conversation, message.sender)
        if number < newest.get(talk, -1):
            yield f"{message[:3]} was sent before one of a smaller seq"
        newest[talk] = max(number, newest.get(talk, -1))


def _phantom(journal: Journal, kept: list[Kept]) -> Iterator[str]:
    sent = {(each.sender, each.content, each.client_id) for each in journal.sent}
    for message in kept:
        if (message.sender, message.content, message.client_id) not in sent:
            yield str(message)


def _gaps(kept: list[Kept]) -> Iterator[str]:
    found: dict[int, list[int]] = defaultdict(list)
    for message in kept:
        found[message.conversation].append(message.seq)
    for conversation, seqs in found.items():
        if sorted(seqs) != list(range(1, len(seqs) + 1)):
            missing = sorted(set(range(1, max(seqs) + 1)) - set(seqs))
            yield f"conversation {conversation}: {len(seqs)} messages up to {max(seqs)}, missing {missing[:10]}"
