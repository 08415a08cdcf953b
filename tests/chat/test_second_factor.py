"""A second factor: what asks for it, which codes are taken, and the ways back in."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest

from imd.chat.base.context import Caller
from imd.store import second_factor as sql
from imd.wire.accounts import ChangePassword, Login, Resume
from imd.wire.admin import UserDisable, UserPasswd
from imd.wire.base import Command
from imd.wire.deletion import DeleteAccount
from imd.wire.refusals import BadRequest, Conflict, InvalidCredentials, NoSuchUser, RateLimited
from imd.wire.second_factor import (
    FactorAdd,
    FactorCodes,
    FactorConfirm,
    FactorRemove,
    FactorShow,
    FactorState,
    UserUnfactor,
)
from tests.chat.authenticator import code
from tests.chat.rules import PASSWORD, Rules

STEP = 30_000


@pytest.fixture
def secret(rules: Rules, ann: Caller) -> str:
    """Ann's second factor, confirmed a while ago."""
    secret: str = rules.asks(ann, FactorAdd(password=PASSWORD)).secret
    rules.asks(ann, FactorConfirm(code=code(secret, rules.now)))
    rules.now += 10 * STEP
    return secret


def login(code: str = "", username: str = "ann", password: str = PASSWORD) -> Login:
    return Login(username=username, password=password, code=code)


def refused(rules: Rules, command: Command, caller: Caller | None = None) -> tuple[Any, str]:
    refusal = rules.refuses(caller or rules.stranger(), command)
    return type(refusal), refusal.case


ASKED = (InvalidCredentials, "code")
WRONG = (InvalidCredentials, "wrong_code")


def test_the_authenticator_is_the_rfcs() -> None:
    """RFC 6238, appendix B; its eight digits end in our six."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for seconds, digits in ((59, "94287082"), (1111111109, "07081804"), (20000000000, "65353130")):
        assert code(secret, seconds * 1000) == digits[2:]


# -- having one


def test_nothing_asks_for_it_before_it_is_confirmed(rules: Rules, ann: Caller) -> None:
    rules.asks(ann, FactorAdd(password=PASSWORD))
    assert rules.asks(ann, FactorShow()) == FactorState(enabled=False)
    assert rules.asks(rules.stranger(), login()).username == "ann"


def test_what_an_app_is_told(rules: Rules, ann: Caller) -> None:
    made = rules.asks(ann, FactorAdd(password=PASSWORD))
    uri = urlsplit(made.uri)
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/imd:ann")
    told = {name: value for name, [value] in parse_qs(uri.query).items()}
    assert told == {"secret": made.secret, "issuer": "imd", "digits": "6", "algorithm": "SHA1", "period": "30"}
    assert len(made.secret) == 32


def test_it_takes_the_password_to_begin(rules: Rules, ann: Caller) -> None:
    """Otherwise anybody at an open terminal could lock its owner out."""
    assert refused(rules, FactorAdd(password="wrong"), ann) == (InvalidCredentials, "")


def test_asked_again_the_secret_is_another(rules: Rules, ann: Caller) -> None:
    first, second = (rules.asks(ann, FactorAdd(password=PASSWORD)).secret for _ in range(2))
    assert first != second
    assert refused(rules, FactorConfirm(code=code(first, rules.now)), ann) == WRONG
    rules.asks(ann, FactorConfirm(code=code(second, rules.now)))


def test_one_is_enough(rules: Rules, ann: Caller, secret: str) -> None:
    for command in (FactorAdd(password=PASSWORD), FactorConfirm(code=code(secret, rules.now))):
        assert refused(rules, command, ann) == (Conflict, "second_factor")


def test_there_must_be_one(rules: Rules, ann: Caller) -> None:
    for command in (FactorConfirm(code="123456"), FactorCodes(code="123456", password=PASSWORD)):
        assert refused(rules, command, ann) == (BadRequest, "no_factor")


def test_how_it_stands(rules: Rules, ann: Caller, secret: str) -> None:
    assert rules.asks(ann, FactorShow()) == FactorState(
        enabled=True, since="2026-09-21T14:13:20.000Z", recovery_codes=10
    )


# -- what asks for it


def test_a_login_without_a_code(rules: Rules, ann: Caller, secret: str) -> None:
    refusal = rules.refuses(rules.stranger(), login())
    assert (type(refusal), refusal.case) == ASKED
    assert refusal.params == {"field": "code"}


@pytest.mark.parametrize("digits", ["", "000000"])
def test_a_wrong_password_is_answered_as_everywhere(rules: Rules, ann: Caller, secret: str, digits: str) -> None:
    """Only somebody who knows the password is told that there is a second factor."""
    right = code(secret, rules.now)
    for given in (digits, right):
        refusal = rules.refuses(rules.stranger(), login(given, password="wrong"))
        assert (type(refusal), refusal.case, refusal.params) == (InvalidCredentials, "", {})
    rules.asks(rules.stranger("198.51.100.1"), login(right))


def test_a_shut_account_says_nothing_of_codes(rules: Rules, ann: Caller, secret: str) -> None:
    rules.asks(rules.operator(), UserDisable(username="ann"))
    for given in ("", code(secret, rules.now)):
        assert refused(rules, login(given)) == (InvalidCredentials, "")


def test_what_else_the_password_protects(rules: Rules, ann: Caller, secret: str) -> None:
    commands: list[Any] = [
        ChangePassword(old=PASSWORD, new="another password"),
        DeleteAccount(password=PASSWORD),
    ]
    for command in commands:
        assert refused(rules, command, ann) == ASKED
        assert refused(rules, type(command)(**fields(command, code="000000")), ann) == WRONG
        rules.asks(ann, type(command)(**fields(command, code=code(secret, rules.now))))
        rules.now += STEP
        rules.tx.execute("UPDATE account SET password_hash = ?", (f"hash of {PASSWORD}",))


def fields(command: Command, **more: str) -> dict[str, Any]:
    return {name: getattr(command, name) for name in command.__struct_fields__} | more


def test_a_token_is_enough(rules: Rules, ann: Caller, secret: str) -> None:
    token = rules.asks(rules.stranger(), login(code(secret, rules.now))).token
    assert rules.asks(rules.stranger(), Resume(token=token)).username == "ann"


def test_a_code_for_an_account_without_a_second_factor(rules: Rules, ann: Caller) -> None:
    assert rules.asks(rules.stranger(), login("123456")).username == "ann"


# -- which codes are taken


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_one_step_early_or_late(rules: Rules, ann: Caller, secret: str, steps: int, taken: bool) -> None:
    given = code(secret, rules.now, steps)
    if taken:
        assert rules.asks(rules.stranger(), login(given)).username == "ann"
    else:
        assert refused(rules, login(given)) == WRONG


def test_a_code_is_taken_once_and_none_before_it(rules: Rules, ann: Caller, secret: str) -> None:
    rules.asks(rules.stranger(), login(code(secret, rules.now)))
    for steps in (0, -1):
        assert refused(rules, login(code(secret, rules.now, steps))) == WRONG
    rules.asks(rules.stranger(), login(code(secret, rules.now, 1)))


def test_the_code_that_confirmed_it_is_used_too(rules: Rules, ann: Caller) -> None:
    secret = rules.asks(ann, FactorAdd(password=PASSWORD)).secret
    rules.asks(ann, FactorConfirm(code=code(secret, rules.now)))
    assert refused(rules, login(code(secret, rules.now))) == WRONG


@pytest.mark.parametrize("spelling", ["{} {}", " {}{} ", "{}-{}"])
def test_digits_as_people_type_them(rules: Rules, ann: Caller, secret: str, spelling: str) -> None:
    digits = code(secret, rules.now)
    rules.asks(rules.stranger(), login(spelling.format(digits[:3], digits[3:])))


@pytest.mark.parametrize("given", ["12345", "1234567", "١٢٣٤٥٦", "abcdef", "-", " ", "\x00", "é" * 64])
def test_what_is_no_code(rules: Rules, ann: Caller, secret: str, given: str) -> None:
    assert refused(rules, login(given)) == WRONG


def test_a_refused_login_uses_no_code_up(rules: Rules, ann: Caller, secret: str) -> None:
    digits = code(secret, rules.now)
    rules.tx.execute("CREATE TRIGGER full BEFORE INSERT ON device BEGIN SELECT raise(ABORT, 'full'); END")
    with pytest.raises(Exception, match="full"):
        rules.asks(rules.stranger(), login(digits))
    rules.tx.execute("DROP TRIGGER full")
    assert rules.asks(rules.stranger(), login(digits)).username == "ann"


# -- guessing


def test_wrong_codes_are_failed_logins(rules: Rules, ann: Caller, secret: str) -> None:
    for _ in range(5):
        assert refused(rules, login("000000")) == WRONG
    assert refused(rules, login(code(secret, rules.now)))[0] is RateLimited
    assert rules.failed == [(ann.account, "192.0.2.1", "wrong_code")] * 5


def test_asking_for_the_code_is_no_failure(rules: Rules, ann: Caller, secret: str) -> None:
    for _ in range(20):
        assert refused(rules, login()) == ASKED
    assert rules.failed == []
    rules.asks(rules.stranger(), login(code(secret, rules.now)))


def test_nor_does_it_wipe_failures_out(rules: Rules, ann: Caller, secret: str) -> None:
    """A guesser learns that a password is right, but the wrong ones before it still count."""
    for _ in range(5):
        refused(rules, login(password="wrong"))
        refused(rules, login())
    assert refused(rules, login(code(secret, rules.now)))[0] is RateLimited


def test_codes_are_guessed_from_many_addresses_no_faster(
    rules: Rules, ann: Caller, secret: str, recovery: list[str]
) -> None:
    """Six digits are few. Only somebody who knows the password gets to them; a recovery code is never delayed."""
    for number in range(5):
        assert refused(rules, login("000000"), rules.stranger(f"198.51.100.{number}")) == WRONG
    for who in (rules.stranger("198.51.100.99"), rules.stranger("192.0.2.77")):
        assert refused(rules, login(code(secret, rules.now)), who) == (RateLimited, "codes")
    assert rules.asks(rules.stranger("192.0.2.77"), login(recovery[0])).username == "ann"
    rules.now += 1000
    assert rules.asks(rules.stranger("192.0.2.77"), login(code(secret, rules.now))).username == "ann"


# -- recovery


@pytest.fixture
def recovery(rules: Rules, ann: Caller, secret: str) -> list[str]:
    """Ann's new recovery codes. The ones before them do not work any more."""
    codes: list[str] = rules.asks(ann, FactorCodes(code=code(secret, rules.now, -1), password=PASSWORD)).codes
    return codes


def test_a_recovery_code_works_once(rules: Rules, ann: Caller, recovery: list[str]) -> None:
    assert len(set(recovery)) == 10
    assert {len(each.replace("-", "")) for each in recovery} == {24}, "118 bits"
    for number, given in enumerate(recovery, 1):
        assert rules.asks(rules.stranger(), login(given)).username == "ann"
        assert refused(rules, login(given)) == WRONG
        assert rules.asks(ann, FactorShow()).recovery_codes == 10 - number


@pytest.mark.parametrize("spelled", [str.upper, lambda code: code.replace("-", ""), lambda code: f" {code} "])
def test_a_recovery_code_as_people_type_it(rules: Rules, ann: Caller, recovery: list[str], spelled: Any) -> None:
    assert rules.asks(rules.stranger(), login(spelled(recovery[3]))).username == "ann"


def test_old_recovery_codes_work_no_more(rules: Rules, ann: Caller, secret: str, recovery: list[str]) -> None:
    newer = rules.asks(ann, FactorCodes(code=recovery[0], password=PASSWORD)).codes
    for given in recovery:
        rules.logins._records.clear()
        assert refused(rules, login(given)) == WRONG
    assert rules.asks(rules.stranger(), login(newer[0])).username == "ann"


def test_somebody_elses_recovery_code(rules: Rules, ann: Caller, bob: Caller, recovery: list[str]) -> None:
    secret = rules.asks(bob, FactorAdd(password=PASSWORD)).secret
    rules.asks(bob, FactorConfirm(code=code(secret, rules.now)))
    assert refused(rules, login(recovery[0], username="bob")) == WRONG


def test_only_fingerprints_of_recovery_codes_are_kept(rules: Rules, ann: Caller, recovery: list[str]) -> None:
    kept = "\n".join(rules.tx.iterdump())
    assert not [each for each in recovery if each in kept or each.replace("-", "") in kept]
    assert {len(each.replace("-", "")) for each in recovery} == {24}  # of 31 signs: 118 bits


# -- the end of it


def test_removing_it_takes_both(rules: Rules, ann: Caller, secret: str) -> None:
    for digits, password, expected in (
        ("", PASSWORD, ASKED),
        ("000000", PASSWORD, WRONG),
        (code(secret, rules.now), "wrong", (InvalidCredentials, "")),
    ):
        assert refused(rules, FactorRemove(code=digits, password=password), ann) == expected
    rules.asks(ann, FactorRemove(code=code(secret, rules.now), password=PASSWORD))
    assert rules.asks(rules.stranger(), login()).username == "ann"
    assert rules.asks(ann, FactorRemove(code="", password=PASSWORD)), "again is harmless"
    assert left(rules) == 0


def left(rules: Rules) -> int:
    tables = ("second_factor", "recovery_code")
    return sum(rules.tx.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)


def test_the_operator_removes_it(rules: Rules, ann: Caller, secret: str) -> None:
    rules.asks(rules.operator(), UserUnfactor(username="ann"))
    assert left(rules) == 0
    [(author, action)] = rules.tx.execute("SELECT author, action FROM audit").fetchall()
    assert (author, action) == ("*operator", "user_unfactor")
    assert rules.asks(rules.stranger(), login()).username == "ann"
    assert refused(rules, UserUnfactor(username="nobody"), rules.operator())[0] is NoSuchUser


def test_a_new_password_of_the_operators_leaves_it(rules: Rules, ann: Caller, secret: str) -> None:
    rules.asks(rules.operator(), UserPasswd(username="ann", password="another password"))
    assert refused(rules, login(password="another password")) == ASKED


def test_nothing_is_left_of_it_when_the_account_ends(rules: Rules, ann: Caller, secret: str) -> None:
    rules.asks(ann, DeleteAccount(password=PASSWORD, code=code(secret, rules.now)))
    assert left(rules) == 0


def test_a_second_factor_that_came_while_the_password_was_checked() -> None:
    @attrs.define
    class Late(Rules):
        async def password_matches(self, password_hash: str | None, password: str, address: str) -> bool:
            sql.begin(self.tx, 1, "A" * 32)
            sql.confirm(self.tx, 1, self.now)
            return await super().password_matches(password_hash, password, address)

    late = Late()
    late.person("ann")
    with pytest.raises(InvalidCredentials) as refusal:
        late.asks(late.stranger(), login())
    assert refusal.value.case == "code"
