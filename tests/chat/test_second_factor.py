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
from tests.chat.room import PASSWORD, Room

STEP = 30_000


@pytest.fixture
def secret(room: Room, ann: Caller) -> str:
    """Ann's second factor, confirmed a while ago."""
    secret: str = room.asks(ann, FactorAdd(password=PASSWORD)).secret
    room.asks(ann, FactorConfirm(code=code(secret, room.now)))
    room.now += 10 * STEP
    return secret


def login(code: str = "", username: str = "ann", password: str = PASSWORD) -> Login:
    return Login(username=username, password=password, code=code)


def refused(room: Room, command: Command, caller: Caller | None = None) -> tuple[Any, str]:
    refusal = room.refuses(caller or room.stranger(), command)
    return type(refusal), refusal.case


ASKED = (InvalidCredentials, "code")
WRONG = (InvalidCredentials, "wrong_code")


def test_the_authenticator_is_the_rfcs() -> None:
    """RFC 6238, appendix B; its eight digits end in our six."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for seconds, digits in ((59, "94287082"), (1111111109, "07081804"), (20000000000, "65353130")):
        assert code(secret, seconds * 1000) == digits[2:]


# -- having one


def test_nothing_asks_for_it_before_it_is_confirmed(room: Room, ann: Caller) -> None:
    room.asks(ann, FactorAdd(password=PASSWORD))
    assert room.asks(ann, FactorShow()) == FactorState(enabled=False)
    assert room.asks(room.stranger(), login()).username == "ann"


def test_what_an_app_is_told(room: Room, ann: Caller) -> None:
    made = room.asks(ann, FactorAdd(password=PASSWORD))
    uri = urlsplit(made.uri)
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/imd:ann")
    told = {name: value for name, [value] in parse_qs(uri.query).items()}
    assert told == {"secret": made.secret, "issuer": "imd", "digits": "6", "algorithm": "SHA1", "period": "30"}
    assert len(made.secret) == 32


def test_it_takes_the_password_to_begin(room: Room, ann: Caller) -> None:
    """Otherwise anybody at an open terminal could lock its owner out."""
    assert refused(room, FactorAdd(password="wrong"), ann) == (InvalidCredentials, "")


def test_asked_again_the_secret_is_another(room: Room, ann: Caller) -> None:
    first, second = (room.asks(ann, FactorAdd(password=PASSWORD)).secret for _ in range(2))
    assert first != second
    assert refused(room, FactorConfirm(code=code(first, room.now)), ann) == WRONG
    room.asks(ann, FactorConfirm(code=code(second, room.now)))


def test_one_is_enough(room: Room, ann: Caller, secret: str) -> None:
    for command in (FactorAdd(password=PASSWORD), FactorConfirm(code=code(secret, room.now))):
        assert refused(room, command, ann) == (Conflict, "second_factor")


def test_there_must_be_one(room: Room, ann: Caller) -> None:
    for command in (FactorConfirm(code="123456"), FactorCodes(code="123456", password=PASSWORD)):
        assert refused(room, command, ann) == (BadRequest, "no_factor")


def test_how_it_stands(room: Room, ann: Caller, secret: str) -> None:
    assert room.asks(ann, FactorShow()) == FactorState(
        enabled=True, since="2026-09-21T14:13:20.000Z", recovery_codes=10
    )


# -- what asks for it


def test_a_login_without_a_code(room: Room, ann: Caller, secret: str) -> None:
    refusal = room.refuses(room.stranger(), login())
    assert (type(refusal), refusal.case) == ASKED
    assert refusal.params == {"field": "code"}


@pytest.mark.parametrize("digits", ["", "000000"])
def test_a_wrong_password_is_answered_as_everywhere(room: Room, ann: Caller, secret: str, digits: str) -> None:
    """Only somebody who knows the password is told that there is a second factor."""
    right = code(secret, room.now)
    for given in (digits, right):
        refusal = room.refuses(room.stranger(), login(given, password="wrong"))
        assert (type(refusal), refusal.case, refusal.params) == (InvalidCredentials, "", {})
    room.asks(room.stranger("198.51.100.1"), login(right))


def test_a_shut_account_says_nothing_of_codes(room: Room, ann: Caller, secret: str) -> None:
    room.asks(room.operator(), UserDisable(username="ann"))
    for given in ("", code(secret, room.now)):
        assert refused(room, login(given)) == (InvalidCredentials, "")


def test_what_else_the_password_protects(room: Room, ann: Caller, secret: str) -> None:
    commands: list[Any] = [
        ChangePassword(old=PASSWORD, new="another password"),
        DeleteAccount(password=PASSWORD),
    ]
    for command in commands:
        assert refused(room, command, ann) == ASKED
        assert refused(room, type(command)(**fields(command, code="000000")), ann) == WRONG
        room.asks(ann, type(command)(**fields(command, code=code(secret, room.now))))
        room.now += STEP
        room.tx.execute("UPDATE account SET password_hash = ?", (f"hash of {PASSWORD}",))


def fields(command: Command, **more: str) -> dict[str, Any]:
    return {name: getattr(command, name) for name in command.__struct_fields__} | more


def test_a_token_is_enough(room: Room, ann: Caller, secret: str) -> None:
    token = room.asks(room.stranger(), login(code(secret, room.now))).token
    assert room.asks(room.stranger(), Resume(token=token)).username == "ann"


def test_a_code_for_an_account_without_a_second_factor(room: Room, ann: Caller) -> None:
    assert room.asks(room.stranger(), login("123456")).username == "ann"


# -- which codes are taken


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_one_step_early_or_late(room: Room, ann: Caller, secret: str, steps: int, taken: bool) -> None:
    given = code(secret, room.now, steps)
    if taken:
        assert room.asks(room.stranger(), login(given)).username == "ann"
    else:
        assert refused(room, login(given)) == WRONG


def test_a_code_is_taken_once_and_none_before_it(room: Room, ann: Caller, secret: str) -> None:
    room.asks(room.stranger(), login(code(secret, room.now)))
    for steps in (0, -1):
        assert refused(room, login(code(secret, room.now, steps))) == WRONG
    room.asks(room.stranger(), login(code(secret, room.now, 1)))


def test_the_code_that_confirmed_it_is_used_too(room: Room, ann: Caller) -> None:
    secret = room.asks(ann, FactorAdd(password=PASSWORD)).secret
    room.asks(ann, FactorConfirm(code=code(secret, room.now)))
    assert refused(room, login(code(secret, room.now))) == WRONG


@pytest.mark.parametrize("spelling", ["{} {}", " {}{} ", "{}-{}"])
def test_digits_as_people_type_them(room: Room, ann: Caller, secret: str, spelling: str) -> None:
    digits = code(secret, room.now)
    room.asks(room.stranger(), login(spelling.format(digits[:3], digits[3:])))


@pytest.mark.parametrize("given", ["12345", "1234567", "١٢٣٤٥٦", "abcdef", "-", " ", "\x00", "é" * 64])
def test_what_is_no_code(room: Room, ann: Caller, secret: str, given: str) -> None:
    assert refused(room, login(given)) == WRONG


def test_a_refused_login_uses_no_code_up(room: Room, ann: Caller, secret: str) -> None:
    digits = code(secret, room.now)
    room.tx.execute("CREATE TRIGGER full BEFORE INSERT ON device BEGIN SELECT raise(ABORT, 'full'); END")
    with pytest.raises(Exception, match="full"):
        room.asks(room.stranger(), login(digits))
    room.tx.execute("DROP TRIGGER full")
    assert room.asks(room.stranger(), login(digits)).username == "ann"


# -- guessing


def test_wrong_codes_are_failed_logins(room: Room, ann: Caller, secret: str) -> None:
    for _ in range(5):
        assert refused(room, login("000000")) == WRONG
    assert refused(room, login(code(secret, room.now)))[0] is RateLimited
    assert room.failed == [(ann.account, "192.0.2.1", "wrong_code")] * 5


def test_asking_for_the_code_is_no_failure(room: Room, ann: Caller, secret: str) -> None:
    for _ in range(20):
        assert refused(room, login()) == ASKED
    assert room.failed == []
    room.asks(room.stranger(), login(code(secret, room.now)))


def test_nor_does_it_wipe_failures_out(room: Room, ann: Caller, secret: str) -> None:
    """A guesser learns that a password is right, but the wrong ones before it still count."""
    for _ in range(5):
        refused(room, login(password="wrong"))
        refused(room, login())
    assert refused(room, login(code(secret, room.now)))[0] is RateLimited


def test_codes_are_guessed_from_many_addresses_no_faster(
    room: Room, ann: Caller, secret: str, recovery: list[str]
) -> None:
    """Six digits are few. Only somebody who knows the password gets to them; a recovery code is never delayed."""
    for number in range(5):
        assert refused(room, login("000000"), room.stranger(f"198.51.100.{number}")) == WRONG
    for who in (room.stranger("198.51.100.99"), room.stranger("192.0.2.77")):
        assert refused(room, login(code(secret, room.now)), who) == (RateLimited, "codes")
    assert room.asks(room.stranger("192.0.2.77"), login(recovery[0])).username == "ann"
    room.now += 1000
    assert room.asks(room.stranger("192.0.2.77"), login(code(secret, room.now))).username == "ann"


# -- recovery


@pytest.fixture
def recovery(room: Room, ann: Caller, secret: str) -> list[str]:
    """Ann's new recovery codes. The ones before them do not work any more."""
    codes: list[str] = room.asks(ann, FactorCodes(code=code(secret, room.now, -1), password=PASSWORD)).codes
    return codes


def test_a_recovery_code_works_once(room: Room, ann: Caller, recovery: list[str]) -> None:
    assert len(set(recovery)) == 10
    assert {len(each.replace("-", "")) for each in recovery} == {24}, "118 bits"
    for number, given in enumerate(recovery, 1):
        assert room.asks(room.stranger(), login(given)).username == "ann"
        assert refused(room, login(given)) == WRONG
        assert room.asks(ann, FactorShow()).recovery_codes == 10 - number


@pytest.mark.parametrize("spelled", [str.upper, lambda code: code.replace("-", ""), lambda code: f" {code} "])
def test_a_recovery_code_as_people_type_it(room: Room, ann: Caller, recovery: list[str], spelled: Any) -> None:
    assert room.asks(room.stranger(), login(spelled(recovery[3]))).username == "ann"


def test_old_recovery_codes_work_no_more(room: Room, ann: Caller, secret: str, recovery: list[str]) -> None:
    newer = room.asks(ann, FactorCodes(code=recovery[0], password=PASSWORD)).codes
    for given in recovery:
        room.logins._records.clear()
        assert refused(room, login(given)) == WRONG
    assert room.asks(room.stranger(), login(newer[0])).username == "ann"


def test_somebody_elses_recovery_code(room: Room, ann: Caller, bob: Caller, recovery: list[str]) -> None:
    secret = room.asks(bob, FactorAdd(password=PASSWORD)).secret
    room.asks(bob, FactorConfirm(code=code(secret, room.now)))
    assert refused(room, login(recovery[0], username="bob")) == WRONG


def test_only_fingerprints_of_recovery_codes_are_kept(room: Room, ann: Caller, recovery: list[str]) -> None:
    kept = "\n".join(room.tx.iterdump())
    assert not [each for each in recovery if each in kept or each.replace("-", "") in kept]
    assert {len(each.replace("-", "")) for each in recovery} == {24}  # of 31 signs: 118 bits


# -- the end of it


def test_removing_it_takes_both(room: Room, ann: Caller, secret: str) -> None:
    for digits, password, expected in (
        ("", PASSWORD, ASKED),
        ("000000", PASSWORD, WRONG),
        (code(secret, room.now), "wrong", (InvalidCredentials, "")),
    ):
        assert refused(room, FactorRemove(code=digits, password=password), ann) == expected
    room.asks(ann, FactorRemove(code=code(secret, room.now), password=PASSWORD))
    assert room.asks(room.stranger(), login()).username == "ann"
    assert room.asks(ann, FactorRemove(code="", password=PASSWORD)), "again is harmless"
    assert left(room) == 0


def left(room: Room) -> int:
    tables = ("second_factor", "recovery_code")
    return sum(room.tx.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)


def test_the_operator_removes_it(room: Room, ann: Caller, secret: str) -> None:
    room.asks(room.operator(), UserUnfactor(username="ann"))
    assert left(room) == 0
    [(author, action)] = room.tx.execute("SELECT author, action FROM audit").fetchall()
    assert (author, action) == ("*operator", "user_unfactor")
    assert room.asks(room.stranger(), login()).username == "ann"
    assert refused(room, UserUnfactor(username="nobody"), room.operator())[0] is NoSuchUser


def test_a_new_password_of_the_operators_leaves_it(room: Room, ann: Caller, secret: str) -> None:
    room.asks(room.operator(), UserPasswd(username="ann", password="another password"))
    assert refused(room, login(password="another password")) == ASKED


def test_nothing_is_left_of_it_when_the_account_ends(room: Room, ann: Caller, secret: str) -> None:
    room.asks(ann, DeleteAccount(password=PASSWORD, code=code(secret, room.now)))
    assert left(room) == 0


def test_a_second_factor_that_came_while_the_password_was_checked() -> None:
    @attrs.define
    class Late(Room):
        async def password_matches(self, password_hash: str | None, password: str, address: str) -> bool:
            sql.begin(self.tx, 1, "A" * 32)
            sql.confirm(self.tx, 1, self.now)
            return await super().password_matches(password_hash, password, address)

    late = Late()
    late.person("ann")
    with pytest.raises(InvalidCredentials) as refusal:
        late.asks(late.stranger(), login())
    assert refusal.value.case == "code"
