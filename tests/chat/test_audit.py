"""The audit log: each change by an admin leaves exactly one entry, without secrets."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec import inspect

from imd.chat.base.context import Caller
from imd.chat.base.handlers import HANDLERS, Lane
from imd.store import audit as sql
from imd.wire import admin, announcements, policies, reports, second_factor
from imd.wire.audit import AuditEntry, AuditList
from imd.wire.base import Command, Right, registry
from imd.wire.fields import SECRETS, Password, Token
from imd.wire.groups import GroupCreate
from imd.wire.messages import SendMessage
from imd.wire.refusals import Forbidden, NoSuchUser
from tests.chat.rules import Rules

SECRET = "a secret nobody may read"

CHANGES: dict[str, Callable[[], Command]] = {
    "user_add": lambda: admin.UserAdd(username="Carol", password=SECRET),
    "user_passwd": lambda: admin.UserPasswd(username="ann", password=SECRET),
    "user_disable": lambda: admin.UserDisable(username="ann"),
    "user_role": lambda: admin.UserRole(username="ann", role="admin"),
    "user_signout": lambda: admin.UserSignout(username="ann"),
    "user_unfactor": lambda: second_factor.UserUnfactor(username="ann"),
    "groups_delete": lambda: admin.GroupsDelete(to="#team"),
    "invite_create": lambda: admin.InviteCreate(uses=3),
    "invite_revoke": lambda: admin.InviteRevoke(number=1),
    "announcement_add": lambda: announcements.AnnouncementAdd(content="tea at four"),
    "announcement_remove": lambda: announcements.AnnouncementRemove(number=1),
    "report_resolve": lambda: reports.ReportResolve(number=1, note="harmless"),
    "policy_set": lambda: policies.PolicySet(burst=7),
    "policy_reset": lambda: policies.PolicyReset(),
    "word_add": lambda: policies.WordAdd(word="Casino"),
    "word_remove": lambda: policies.WordRemove(word="casino"),
}
"""A plausible command of each kind with which an admin changes something."""

ADMIN = [spec for spec in registry if spec.right is Right.ADMIN and spec.shape.__module__.startswith("imd.")]
READS = {spec.action for spec in ADMIN if HANDLERS[spec.shape].lane is Lane.READS} | {"server_status"}


@pytest.fixture
def root(rules: Rules, ann: Caller, bob: Caller) -> Caller:
    """An admin, with an invite, an announcement and a report to work on, and an empty log."""
    root = rules.person("root", admin=True)
    rules.asks(root, admin.InviteCreate())
    rules.asks(root, announcements.AnnouncementAdd(content="hello"))
    rules.asks(bob, SendMessage(to="ann", content="boo"))
    rules.asks(ann, reports.ReportMessage(to="bob", seq=1))
    rules.asks(ann, GroupCreate(handle="#team"))
    rules.tx.execute("DELETE FROM audit")
    return root


def log(rules: Rules, caller: Caller) -> list[AuditEntry]:
    entries: list[AuditEntry] = rules.asks(caller, AuditList()).entries
    return entries


def test_every_change_has_its_example_here() -> None:
    assert set(CHANGES) == {spec.action for spec in ADMIN} - READS


@pytest.mark.parametrize("action", CHANGES)
def test_a_change_leaves_exactly_one_entry(rules: Rules, root: Caller, action: str) -> None:
    command = CHANGES[action]()
    reply = rules.asks(root, command)
    [entry] = log(rules, root)
    assert (entry.action, entry.by, entry.time) == (action, "root", "2026-09-21T14:13:20.000Z")
    given = {name: value for name, value in msgspec.to_builtins(command).items() if name not in SECRETS}
    assert entry.arguments == given
    if HANDLERS[type(command)].lane is Lane.WRITES:
        said = msgspec.to_builtins(reply)
        assert entry.result == {name: value for name, value in said.items() if name not in SECRETS}
    [row] = sql.before(rules.tx, 2**62, 10)
    secrets = {SECRET} | {value for name, value in msgspec.to_builtins(reply).items() if name in SECRETS}
    assert not any(secret in str(row) for secret in secrets)


@pytest.mark.parametrize("action", CHANGES)
def test_the_operator_is_named_as_nobody_can_be(rules: Rules, root: Caller, action: str) -> None:
    rules.asks(rules.operator(), CHANGES[action]())
    assert [entry.by for entry in log(rules, root)] == ["*operator"]


@pytest.mark.parametrize("action", CHANGES)
def test_a_former_admins_queued_command_changes_nothing(rules: Rules, root: Caller, action: str) -> None:
    """A command may wait in the queue while another admin takes the caller's rights away."""
    rules.person("other", admin=True)
    rules.asks(rules.operator(), admin.UserRole(username="root", role="user"))
    assert isinstance(rules.refuses(root, CHANGES[action]()), Forbidden)


def test_reading_leaves_nothing(rules: Rules, root: Caller) -> None:
    for spec in ADMIN:
        if spec.action in READS:
            rules.asks(root, msgspec.convert({}, spec.shape))
    assert log(rules, root) == []


def test_what_is_refused_leaves_nothing(rules: Rules, root: Caller) -> None:
    for command in (admin.UserDisable(username="nobody"), admin.UserPasswd(username="nobody")):
        assert isinstance(rules.refuses(root, command), NoSuchUser)
    assert log(rules, root) == []


def test_what_people_do_is_none_of_its_business(rules: Rules, root: Caller, ann: Caller) -> None:
    rules.asks(ann, SendMessage(to="bob", content="hi"))
    rules.asks(ann, announcements.AnnouncementSeen(number=1))
    assert log(rules, root) == []


def test_the_log_is_read_from_its_end(rules: Rules, root: Caller) -> None:
    for burst in range(1, 6):
        rules.asks(root, policies.PolicySet(burst=burst))
    page = rules.asks(root, AuditList(limit=2))
    assert ([each.arguments["burst"] for each in page.entries], page.more) == ([5, 4], True)
    page = rules.asks(root, AuditList(before=page.entries[-1].number, limit=3))
    assert ([each.arguments["burst"] for each in page.entries], page.more) == ([3, 2, 1], False)


def test_an_entry_is_a_line(rules: Rules, root: Caller) -> None:
    rules.asks(root, admin.InviteCreate(uses=3))
    [entry] = log(rules, root)
    assert entry.text("en").startswith("1 2026-09-21 14:13Z root: invite_create uses=3 -> uses=3 expires=")
    rules.asks(root, admin.UserRole(username="ann", role="admin"))
    assert log(rules, root)[0].text("en") == "2 2026-09-21 14:13Z root: user_role username=ann role=admin"


def test_every_field_that_holds_a_secret_is_known_as_one() -> None:
    kinds = [inspect.type_info(each) for each in (Password, Token)]
    for spec in registry:
        for field in msgspec.structs.fields(spec.shape):
            if inspect.type_info(field.type) in kinds:
                assert field.name in SECRETS, f"{spec.action}.{field.name}"


def test_no_statement_changes_the_log() -> None:
    from tests.wire.source import ROOT

    for path in sorted((ROOT / "imd" / "store").glob("*.py")):
        text = path.read_text("utf-8")
        assert "UPDATE audit" not in text
        assert "FROM audit" not in text.replace('_ENTRY = Select(Entry, "FROM audit")', "")
        assert "DELETE FROM audit" not in text


def test_its_rows_are_json_that_people_can_read(rules: Rules, root: Caller) -> None:
    rules.asks(root, announcements.AnnouncementAdd(content="四点喝茶"))
    [row] = sql.before(rules.tx, 2**62, 10)
    assert "四点喝茶" in row.arguments
    fields: dict[str, Any] = json.loads(row.arguments)
    assert fields == {"content": "四点喝茶"}
