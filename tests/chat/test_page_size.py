"""Pages of large messages: no page is larger than it may be, and walking through them nothing is lost or repeated."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from imd.chat.base.context import Caller
from imd.chat.base.render import PAGE_BYTES
from imd.chat.conversations import replay_page
from imd.wire.conversations import History, Sync
from imd.wire.messages import ReadThread, SendMessage
from imd.wire.personal import ListSaved, ListStarred, Star
from imd.wire.search import Search
from tests.chat.rules import Rules

COUNT = 12
LARGE = "word " + "\x01" * 16_000
"""A character that is six times as long in JSON."""

BESIDES = 64 * 1024
"""The rest of a page: names, times, numbers."""


def history(rules: Rules, caller: Caller) -> list[Any]:
    pages = [rules.asks(caller, History(to="ann", limit=200))]
    while pages[-1].more:
        pages.append(rules.asks(caller, History(to="ann", before=pages[-1].messages[0].seq, limit=200)))
    return pages[::-1]


def history_onwards(rules: Rules, caller: Caller) -> list[Any]:
    pages = [rules.asks(caller, History(to="ann", after=0, limit=200))]
    while pages[-1].more:
        pages.append(rules.asks(caller, History(to="ann", after=pages[-1].messages[-1].seq, limit=200)))
    return pages


def sync(rules: Rules, caller: Caller) -> list[Any]:
    pages = [rules.asks(caller, Sync(conversation=1, after_rev=0, limit=500))]
    while pages[-1].more:
        pages.append(rules.asks(caller, Sync(conversation=1, after_rev=pages[-1].rev, limit=500)))
    return pages


def thread(rules: Rules, caller: Caller) -> list[Any]:
    pages = [rules.asks(caller, ReadThread(to="ann", seq=1, limit=200))]
    while pages[-1].more:
        pages.append(rules.asks(caller, ReadThread(to="ann", seq=1, after=pages[-1].messages[-1].seq, limit=200)))
    return pages


def search(rules: Rules, caller: Caller) -> list[Any]:
    pages = [rules.asks(caller, Search(query="word", limit=200))]
    while pages[-1].more:
        pages.append(rules.asks(caller, Search(query="word", limit=200, before=pages[-1].before)))
    return pages


def starred(rules: Rules, caller: Caller) -> list[Any]:
    for seq in range(1, COUNT + 1):
        rules.asks(caller, Star(to="ann", seq=seq))
    pages = [rules.asks(caller, ListStarred(limit=200))]
    while pages[-1].more:
        heard = sum(len(page.messages) for page in pages)
        pages.append(rules.asks(caller, ListStarred(limit=200, skip=heard)))
    return pages


@pytest.mark.parametrize("walk", [history, history_onwards, sync, thread, search, starred])
def test_pages_are_bounded_and_whole(
    rules: Rules, ann: Caller, bob: Caller, walk: Callable[[Rules, Caller], list[Any]]
) -> None:
    for number in range(COUNT):
        rules.asks(ann, SendMessage(to="bob", content=LARGE, reply_to=1 if number else None))
    pages = walk(rules, bob)
    assert sorted(each.seq for page in pages for each in page.messages) == list(range(1, COUNT + 1))
    assert len(pages) > COUNT // 3
    assert max(len(msgspec.json.encode(page)) for page in pages) < PAGE_BYTES + BESIDES + 6 * 16_000


def test_what_is_saved(rules: Rules, ann: Caller) -> None:
    for _ in range(COUNT):
        rules.asks(ann, SendMessage(to="ann", content=LARGE))
    pages = [rules.asks(ann, ListSaved(limit=200))]
    while pages[-1].more:
        pages.append(rules.asks(ann, ListSaved(limit=200, before=pages[-1].messages[0].seq)))
    assert sorted(each.seq for page in pages for each in page.messages) == list(range(1, COUNT + 1))
    assert max(len(page.messages) for page in pages) == 2


def test_what_is_replayed(rules: Rules, ann: Caller, bob: Caller) -> None:
    for _ in range(COUNT):
        rules.asks(ann, SendMessage(to="bob", content=LARGE))
    page, more = replay_page(rules.tx, bob, 1, 0, 100)
    seqs = [each.seq for each in page]
    while more:
        assert len(page) == 2
        page, more = replay_page(rules.tx, bob, 1, seqs[-1], 100)
        seqs += [each.seq for each in page]
    assert seqs == list(range(1, COUNT + 1))
