"""Reports: what the admins get to see, and how a report ends."""

import pytest

from imd.chat.base.context import Caller
from imd.wire.admin import UserDisable, UserRole
from imd.wire.messages import EditMessage, RecallMessage, SendMessage
from imd.wire.refusals import BadRequest, NoSuchConversation, NoSuchMessage, NoSuchUser
from imd.wire.reports import NewReport, Report, ReportList, ReportMessage, ReportResolve
from tests.chat.rules import Rules


@pytest.fixture
def root(rules: Rules) -> Caller:
    return rules.person("root", admin=True)


@pytest.fixture
def talk(rules: Rules, ann: Caller, bob: Caller) -> None:
    """Bob writes to Ann."""
    for content in ("hello", "send me your card number"):
        rules.asks(bob, SendMessage(to="ann", content=content))


def waiting(rules: Rules, root: Caller) -> list[Report]:
    reports: list[Report] = rules.asks(root, ReportList()).reports
    return reports


def test_the_admins_are_told_and_nobody_else(rules: Rules, root: Caller, ann: Caller, cid: Caller, talk: None) -> None:
    other = rules.person("other", admin=True)
    gone = rules.person("gone", admin=True)
    rules.asks(root, UserDisable(username="gone"))
    rules.asks(root, UserRole(username="cid", role="admin"))
    rules.asks(root, UserRole(username="cid", role="user"))
    [(accounts, event)] = rules.does(ann, ReportMessage(to="bob", seq=2, reason="fraud")).told
    assert accounts == (root.account, other.account)
    assert gone.account not in accounts
    assert isinstance(event, NewReport)
    assert (event.number, event.reporter, event.sender, event.seq) == (1, "ann", "bob", 2)
    assert event.text("en") == "Report 1: ann about bob: fraud"


def test_the_evidence_outlives_the_message(rules: Rules, root: Caller, ann: Caller, bob: Caller, talk: None) -> None:
    rules.asks(ann, ReportMessage(to="bob", seq=1))
    rules.asks(ann, ReportMessage(to="bob", seq=2, reason="fraud"))
    rules.asks(bob, EditMessage(to="ann", seq=1, content="I said nothing"))
    rules.asks(bob, RecallMessage(to="ann", seq=2))
    first, second = waiting(rules, root)
    assert (first.content, first.reason) == ("hello", "")
    assert (second.content, second.reason) == ("send me your card number", "fraud")


def test_of_a_message_that_burns_there_is_no_copy(rules: Rules, root: Caller, ann: Caller, bob: Caller) -> None:
    rules.asks(bob, SendMessage(to="ann", content="secret", burn_after=10))
    rules.asks(ann, ReportMessage(to="bob", seq=1, reason="threat"))
    [report] = waiting(rules, root)
    assert (report.sender, report.reason, report.content) == ("bob", "threat", None)
    assert not any("secret" in line for line in rules.tx.iterdump() if '"report"' in line)
    assert "no copy is kept" in report.text("en")


def test_a_message_is_reported_once_by_each(rules: Rules, root: Caller, ann: Caller, bob: Caller, talk: None) -> None:
    first = rules.asks(ann, ReportMessage(to="bob", seq=1, reason="one"))
    again = rules.does(ann, ReportMessage(to="bob", seq=1, reason="two"))
    assert again.reply == first
    assert again.told == ()
    rules.asks(bob, ReportMessage(to="ann", seq=1))
    assert [(each.reporter, each.reason) for each in waiting(rules, root)] == [("ann", "one"), ("bob", "")]


def test_after_it_was_resolved_it_may_be_reported_anew(
    rules: Rules, root: Caller, ann: Caller, bob: Caller, talk: None
) -> None:
    number = rules.asks(ann, ReportMessage(to="bob", seq=1, reason="one")).number
    rules.asks(root, ReportResolve(number=number, note="harmless"))
    rules.asks(bob, EditMessage(to="ann", seq=1, content="worse"))
    again = rules.does(ann, ReportMessage(to="bob", seq=1, reason="two"))
    assert (again.reply.number, len(again.told)) == (number, 1)
    [report] = waiting(rules, root)
    assert (report.reason, report.content, report.resolved, report.note) == ("two", "worse", None, None)


def test_a_report_is_resolved_once(rules: Rules, root: Caller, ann: Caller, talk: None) -> None:
    other = rules.person("other", admin=True)
    for seq in (1, 2):
        rules.asks(ann, ReportMessage(to="bob", seq=seq))
    rules.asks(root, ReportResolve(number=1, note="account shut"))
    rules.asks(other, ReportResolve(number=1, note="me too"))
    assert [each.number for each in waiting(rules, root)] == [2]
    [done] = rules.asks(root, ReportList(resolved=True)).reports
    assert (done.number, done.by, done.note, done.resolved) == (1, "root", "account shut", "2026-09-21T14:13:20.000Z")
    assert done.text("en").splitlines() == [
        "1 2026-09-21 14:13Z ann about bob: ",
        "hello",
        "2026-09-21 14:13Z resolved by root: account shut",
    ]


def test_the_queue_goes_on_after_a_number(rules: Rules, root: Caller, ann: Caller, talk: None) -> None:
    for seq in (2, 1):
        rules.asks(ann, ReportMessage(to="bob", seq=seq))
    page = rules.asks(root, ReportList(limit=1))
    assert ([each.seq for each in page.reports], page.more) == ([2], True)
    page = rules.asks(root, ReportList(after=1, limit=1))
    assert ([each.seq for each in page.reports], page.more) == ([1], False)


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (ReportMessage(to="bob", seq=3), NoSuchMessage),
        (ReportMessage(to="nobody", seq=1), NoSuchUser),
        (ReportMessage(to="cid", seq=1), NoSuchConversation),
        (ReportMessage(conversation=1000, seq=1), NoSuchConversation),
    ],
)
def test_only_what_i_may_see_is_reported(
    rules: Rules, ann: Caller, cid: Caller, talk: None, command: ReportMessage, refusal: type
) -> None:
    assert isinstance(rules.refuses(ann, command), refusal)


def test_absent_and_not_mine_look_alike(rules: Rules, cid: Caller, talk: None) -> None:
    refused = [rules.refuses(cid, ReportMessage(conversation=number, seq=1)) for number in (1, 1000)]
    assert [(type(each), each.params) for each in refused] == [(NoSuchConversation, {})] * 2


def test_there_is_no_such_report(rules: Rules, root: Caller) -> None:
    refused = rules.refuses(root, ReportResolve(number=7))
    assert (type(refused), refused.case, refused.params) == (BadRequest, "report", {"number": 7})
