"""The first conversation with a person: name, password, and what may be wrong with them."""

from typing import Any

import pytest
from imd_client import CertificateChanged, CodeNeeded, Credentials, LoginNeeded, Refused
from imd_client.login_dialog import LoginDialog
from imd_client.screen import LineScreen
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from tests.client.line_screen import FakeModes, connect, written


@pytest.fixture
def login_dialog() -> LoginDialog:
    return LoginDialog(connect(LineScreen(lambda line: None, FakeModes())), "localhost:7373", "en")


def answered(login_dialog: LoginDialog, question: Any, *lines: str) -> list[Any]:
    """Ask, and type the lines. Gives what came of it, once it did."""
    found: list[Any] = []
    Deferred.fromCoroutine(question).addCallback(found.append)
    for line in lines:
        assert found == []
        login_dialog.screen.dataReceived(f"{line}\n".encode())
    return found


def again(login_dialog: LoginDialog, mine: Credentials, fault: Exception, *lines: str) -> list[Any]:
    return answered(login_dialog, login_dialog.again("ann", mine, Failure(fault)), *lines)


def refused(code: str) -> Refused:
    return Refused(code, f"The server says {code}.", {})


def test_a_name_is_asked_for_until_it_is_one(login_dialog: LoginDialog) -> None:
    assert answered(login_dialog, login_dialog.name(), "", "a b", " Ann ") == ["ann"]
    assert "no spaces" in written(login_dialog.screen)


def test_an_empty_password_is_none(login_dialog: LoginDialog) -> None:
    assert answered(login_dialog, login_dialog.password("ann"), "", "secret") == ["secret"]


def test_a_new_name_is_registered_when_the_person_says_so(login_dialog: LoginDialog) -> None:
    mine = Credentials(password="long enough")
    assert again(login_dialog, mine, refused("invalid_credentials"), "y", "long enoug", "long enough") == [True]
    assert (mine.register, mine.password) == (True, "long enough")
    assert "passwords differ" in written(login_dialog.screen)


def test_a_wrong_password_may_be_given_again(login_dialog: LoginDialog) -> None:
    mine = Credentials(password="mistyped")
    assert again(login_dialog, mine, refused("invalid_credentials"), "", "long enough") == [True]
    assert (mine.register, mine.password) == (False, "long enough")


def test_a_password_that_cannot_be_repeated_is_chosen_anew(login_dialog: LoginDialog) -> None:
    mine = Credentials(password="mistyped")
    assert again(login_dialog, mine, refused("invalid_credentials"), "yes", "", "long enough") == [True]
    assert (mine.register, mine.password) == (False, "long enough")


def test_a_name_that_was_taken_meanwhile(login_dialog: LoginDialog) -> None:
    mine = Credentials(password="mine", register=True)
    assert again(login_dialog, mine, refused("invalid_credentials"), "the real one") == [True]
    assert (mine.register, mine.password) == (False, "the real one")
    assert "ann is already registered" in written(login_dialog.screen)


def test_a_weak_password_is_chosen_anew(login_dialog: LoginDialog) -> None:
    mine = Credentials(password="weak", register=True)
    assert again(login_dialog, mine, refused("weak_password"), "weak 2", "", "long enough", "long enough") == [True]
    assert (mine.register, mine.password) == (True, "long enough")
    assert "The server says weak_password." in written(login_dialog.screen)


def test_an_invite_is_asked_for(login_dialog: LoginDialog) -> None:
    mine = Credentials(password="long enough", register=True)
    assert again(login_dialog, mine, refused("invite_required"), " code ") == [True]
    assert mine.invite == "code"
    assert again(login_dialog, mine, refused("invite_invalid"), "") == [False]


def test_a_code_is_asked_for(login_dialog: LoginDialog) -> None:
    mine = Credentials(password="right")
    assert again(login_dialog, mine, CodeNeeded(), " 123 456 ") == [True]
    assert (mine.code, mine.password) == ("123 456", "right")
    wrong = Refused("invalid_credentials", "The code is wrong.", {"field": "code"})
    assert again(login_dialog, mine, wrong, "hv3k-9mxa") == [True]
    assert mine.code == "hv3k-9mxa"
    assert "The code is wrong." in written(login_dialog.screen)
    assert again(login_dialog, mine, wrong, "") == [False], "an empty answer leaves"


def test_a_device_that_was_logged_out(login_dialog: LoginDialog) -> None:
    mine = Credentials()
    assert again(login_dialog, mine, LoginNeeded(), "secret") == [True]
    assert mine.password == "secret"
    assert "no longer logged in" in written(login_dialog.screen)


@pytest.mark.parametrize("fault", [refused("forbidden"), CertificateChanged("localhost:7373", "AB", "CD")])
def test_what_no_answer_helps_with(login_dialog: LoginDialog, fault: Exception) -> None:
    assert again(login_dialog, Credentials(password="x"), fault) == [False]
    assert written(login_dialog.screen) == ""
