"""The options that `imd chat` and `imd send` share."""

from pathlib import Path

import pytest
from imd_client import console, send
from imd_client.options import ClientOptions
from twisted.python import usage


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("IMD_SERVER", "IMD_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def parsed(kind: type[ClientOptions], *arguments: str) -> ClientOptions:
    options = kind()
    options.parseOptions(list(arguments))
    return options


def test_options_stand_anywhere() -> None:
    for arguments in (["-m", "hi there", "bob"], ["bob", "-m", "hi there"], ["bob", "--message=hi there"]):
        options = parsed(send.Options, *arguments)
        assert (options["to"], options["message"]) == ("bob", "hi there")
    assert parsed(send.Options, "bob", "-m", "")["message"] == ""
    assert parsed(send.Options, "bob")["message"] is None
    assert parsed(send.Options, "-m", "-x", "--", "bob")["message"] == "-x"
    assert parsed(send.Options, "#team")["to"] == "#team"
    assert parsed(send.Options, "Bob")["to"] == "bob"


def test_the_server_is_named_here_or_in_the_environment_or_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parsed(console.Options).server_name == "localhost:7373"
    monkeypatch.setenv("IMD_SERVER", "chat.example")
    assert parsed(console.Options).server_name == "chat.example:7373"
    assert parsed(console.Options, "-s", "here:1").server_name == "here:1"
    assert parsed(console.Options, "here:1", "--register").server_name == "here:1"


def test_the_password_is_in_a_file_or_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert parsed(console.Options).password() == ""
    monkeypatch.setenv("IMD_PASSWORD", "from the environment")
    assert parsed(console.Options).password() == "from the environment"
    (tmp_path / "password").write_text("from the file\n")
    assert parsed(console.Options, "--password-file", str(tmp_path / "password")).password() == "from the file"
    with pytest.raises(usage.UsageError, match="cannot be read"):
        parsed(console.Options, "--password-file", str(tmp_path / "none")).password()


def test_the_account_is_the_one_named_or_the_one_used_last() -> None:
    options = parsed(console.Options)
    state = options.open_state()
    assert options.account(state) is None
    state.account("localhost:7373", "ann").set_token("t")
    for choice, name in ((options, "ann"), (parsed(console.Options, "-u", "Bob"), "bob")):
        account = choice.account(state)
        assert account is not None
        assert account.username == name
    state.close()


def test_a_fingerprint_is_pinned(tmp_path: Path) -> None:
    options = parsed(console.Options, "--fingerprint", "ab" * 32, "--state", str(tmp_path / "mine"))
    state = options.open_state()
    assert state.pin("localhost:7373") == ":".join(["AB"] * 32)
    state.close()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--server", "a b"], "a b is no server"),
        (["--user", "a b"], "no spaces"),
        (["--fingerprint", "12"], "64 hexadecimal digits"),
        (["--lang", "fr"], "en, zh"),
        (["--theme", "pink"], "dark, light"),
        (["--wait", "soon"], "soon"),
        (["--nonsense"], "nonsense"),
        (["one", "two"], "Wrong number"),
    ],
)
def test_what_is_wrong_is_said(arguments: list[str], complaint: str) -> None:
    with pytest.raises(usage.UsageError, match=complaint):
        parsed(console.Options, *arguments, "--lang=en") if "--lang" not in arguments else parsed(
            console.Options, *arguments
        )


@pytest.mark.parametrize(
    ("arguments", "terminal", "installed", "full_screen"),
    [
        ([], True, True, True),
        (["--plain"], True, True, False),
        ([], False, True, False),
        ([], True, False, False),
    ],
)
def test_when_the_whole_screen_is_drawn(
    arguments: list[str], terminal: bool, installed: bool, full_screen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "is_capable_terminal", lambda: terminal)
    monkeypatch.setattr(console, "find_spec", lambda name: object() if installed else None)
    options = console.Options()
    options.parseOptions(arguments)
    assert options.full_screen == full_screen


def test_a_state_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database, but long enough to be seen as something else " * 20)
    for path in ("text", "text/below"):
        with pytest.raises(usage.UsageError, match="cannot be used"):
            parsed(console.Options, "--state", str(tmp_path / path), "--lang", "en").open_state()
