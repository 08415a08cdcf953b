"""Search compared with reading everything: whatever happened before, both find the same for everybody."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from imd.chat.base.context import Caller
from imd.chat.search import index
from imd.store import conversations as rows
from imd.store.words import words
from imd.wire.conversations import History, ListConversations
from imd.wire.messages import EditMessage, RecallMessage, SendMessage
from imd.wire.personal import ClearHistory, DeleteForMe
from imd.wire.refusals import Refusal
from imd.wire.search import Search
from tests.chat.rules import Rules
from tests.chat.searching import bring_up_to_date, group, join, leave

NAMES = ("ann", "bob", "小明")
PEOPLE = some.sampled_from(NAMES)
PLACES = some.sampled_from([*NAMES, "#team", "#family"])
TEXTS = some.lists(
    some.sampled_from(["meet", "meeting", "Mêt", "at", "6", "会议", "会", "议会", "iPhone手机", "!", "👍"]),
    min_size=1,
    max_size=4,
).map(" ".join)
SEQS = some.integers(1, 8)
ASKED = some.sampled_from(
    ["meet", "mee*", "met", '"meet at"', "at meet", "会", "会议", "会议 at", '"at 会"', "iph*", "👍", "手机"]
)
NARROWED = some.sampled_from(["", " from:bob", " kind:markdown", " from:小明 kind:text", " in:#team", " in:ann"])


class Searching(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.rules = Rules()
        self.people: dict[str, Caller] = {name: self.rules.person(name) for name in NAMES}
        self.order: dict[tuple[int, int], int] = {}
        group(self.rules, "team", *self.people.values())
        group(self.rules, "family", self.people["ann"])

    def teardown(self) -> None:
        self.rules.tx.close()

    def does(self, name: str, command: Any) -> Any:
        """Do something, where it may be done."""
        self.rules.now += 1
        try:
            return self.rules.asks(self.people[name], command)
        except Refusal:
            return None

    @rule(name=PEOPLE, to=PLACES, content=TEXTS, kind=some.sampled_from(["text", "markdown"]), burning=some.booleans())
    def say(self, name: str, to: str, content: str, kind: Any, burning: bool) -> None:
        burn_after = 60 if burning and kind == "markdown" else None
        if sent := self.does(name, SendMessage(to=to, content=content, kind=kind, burn_after=burn_after)):
            self.order[sent.conversation, sent.seq] = len(self.order)

    @rule(name=PEOPLE, to=PLACES, seq=SEQS, content=TEXTS)
    def say_anew(self, name: str, to: str, seq: int, content: str) -> None:
        self.does(name, EditMessage(to=to, seq=seq, content=content))

    @rule(name=PEOPLE, to=PLACES, seq=SEQS, shape=some.sampled_from([RecallMessage, DeleteForMe]))
    def take_back(self, name: str, to: str, seq: int, shape: Any) -> None:
        self.does(name, shape(to=to, seq=seq))

    @rule(name=PEOPLE, to=PLACES)
    def clear(self, name: str, to: str) -> None:
        self.does(name, ClearHistory(to=to))

    @rule(name=PEOPLE, handle=some.sampled_from(["team", "family"]))
    def come_or_go(self, name: str, handle: str) -> None:
        row = rows.by_handle(self.rules.tx, handle, self.people[name].account)
        assert row is not None
        (leave if row.role else join)(self.rules, handle, self.people[name])

    @rule(count=some.integers(1, 3))
    def lose_the_newest(self, count: int) -> None:
        """Delete rows, as the end of a group does; their numbers come again."""
        self.rules.tx.execute("DELETE FROM message WHERE id > (SELECT max(id) FROM message) - ?", (count,))

    @rule(whole=some.booleans())
    def index(self, whole: bool) -> None:
        if whole:
            bring_up_to_date(self.rules)
        else:
            self.rules.in_transaction(lambda tx: index(tx, self.rules.now))

    @rule(name=PEOPLE, asked=ASKED, narrowed=NARROWED, limit=some.integers(1, 5))
    def search(self, name: str, asked: str, narrowed: str, limit: int) -> None:
        try:
            found = self.found(name, asked + narrowed, limit)
        except Refusal:
            assert " in:" in narrowed, "who has no part in it may not look there"
        else:
            assert found == self.seen(name, asked, narrowed)

    @invariant()
    def what_everybody_says_is_found(self) -> None:
        for name in NAMES:
            assert self.found(name, "meet", 20) == self.seen(name, "meet", "")

    # -- two ways to look

    def found(self, name: str, query: str, limit: int) -> list[tuple[int, int]]:
        listed: list[tuple[int, int]] = []
        before: int | None = None
        while True:
            page = self.rules.asks(self.people[name], Search(query=query, limit=limit, before=before))
            listed += [(each.conversation, each.seq) for each in page.messages]
            if not page.more:
                return listed
            assert len(page.messages) == limit, "a page is full while there is more"
            assert before is None or page.before < before
            before = page.before

    def seen(self, name: str, asked: str, narrowed: str) -> list[tuple[int, int]]:
        """Read everything that somebody may read."""
        listed = []
        for place in self.rules.asks(self.people[name], ListConversations()).conversations:
            for each in self.rules.asks(self.people[name], History(conversation=place.conversation)).messages:
                wanted = {"from": each.sender, "kind": each.kind, "in": place.to}
                narrows = [part.split(":") for part in narrowed.split()]
                if (
                    all(wanted[key] == value for key, value in narrows)
                    and not each.burn_after
                    and all(spoken(part, each.content) for part in parts(asked))
                ):
                    listed.append((each.conversation, each.seq))
        return sorted(listed, key=lambda each: self.order[each], reverse=True)


def parts(asked: str) -> list[str]:
    return [asked] if asked.startswith('"') else asked.split()


def spoken(part: str, content: str) -> bool:
    ends = "" if part.endswith("*") else " "
    return f" {' '.join(words(part))}{ends}" in f" {' '.join(words(content))} "


TestSearching = Searching.TestCase
TestSearching.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
