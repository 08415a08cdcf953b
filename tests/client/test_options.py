"""The options of `imd chat`, `imd send` and `imd export`."""

import argparse
import io
from pathlib import Path
from types import ModuleType

import pytest
from imd_client import console, export, send
from imd_client.options import OptionError

from imd.wire import catalog
from tests.client.command_line import given, options


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("IMD_SERVER", "IMD_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def test_options_stand_anywhere() -> None:
    for line in (["-m", "hi there", "bob"], ["bob", "-m", "hi there"], ["bob", "--message=hi there"]):
        found = options(send, *line)
        assert (found.to, found.message) == ("bob", "hi there")
    assert options(send, "bob", "-m", "").message == ""
    assert options(send, "bob").message is None
    assert options(send, "--message=-x", "--", "bob").message == "-x"
    assert options(send, "#team").to == "#team"
    assert options(send, "Bob").to == "bob"
    assert options(export, "-u", "Ann", "ann.zip").file == "ann.zip"


def test_the_server_is_named_here_or_in_the_environment_or_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert options(console).server_name == "localhost:7373"
    monkeypatch.setenv("IMD_SERVER", "chat.example")
    assert options(console).server_name == "chat.example:7373"
    assert options(console, "-s", "here:1").server_name == "here:1"
    assert options(console, "here:1", "--register").server_name == "here:1"
    assert options(console, "--register", "here:1").server_name == "here:1"


def test_the_password_is_in_a_file_or_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert options(console).password() == ""
    monkeypatch.setenv("IMD_PASSWORD", "from the environment")
    assert options(console).password() == "from the environment"
    (tmp_path / "password").write_text("from the file\n")
    assert options(console, "--password-file", str(tmp_path / "password")).password() == "from the file"
    with pytest.raises(OptionError, match="cannot be read"):
        options(console, "--password-file", str(tmp_path / "none"), "--lang=en").password()


def test_the_account_is_the_one_named_or_the_one_used_last() -> None:
    found = options(console)
    state = found.open_state()
    assert found.account(state) is None
    state.account("localhost:7373", "ann").set_token("t")
    for choice, name in ((found, "ann"), (options(console, "-u", "Bob"), "bob")):
        account = choice.account(state)
        assert account is not None
        assert account.username == name
    state.close()


def test_a_fingerprint_is_pinned(tmp_path: Path) -> None:
    found = options(console, "--fingerprint", "ab" * 32, "--state", str(tmp_path / "mine"))
    state = found.open_state()
    assert state.pin("localhost:7373") == ":".join(["AB"] * 32)
    state.close()


WRONG = [
    (["--server", "a b"], "a b is not a server address", "a b 不是服务器地址"),
    (["--user", "a b"], "no spaces", "空格"),
    (["--fingerprint", "12"], "64 hexadecimal digits", "64 位十六进制"),
    (["--theme", "pink"], "dark, light", "dark, light"),
    (["--wait", "soon"], "--wait must be a number of seconds, not soon", "--wait 应为秒数，而不是 soon"),
    (["--wait", "nan"], "not nan", "而不是 nan"),
    (["--wait=-1"], "not -1", "而不是 -1"),
]


@pytest.mark.parametrize(("arguments", "english", "chinese"), WRONG)
def test_an_option_that_is_no_good_is_told(arguments: list[str], english: str, chinese: str) -> None:
    for language, complaint in (("en", english), ("zh", chinese)):
        with pytest.raises(OptionError, match=complaint):
            options(console, *arguments, "--lang", language)


def test_an_unknown_language_is_told_in_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imd_client.options.language_here", lambda: "zh")
    with pytest.raises(OptionError, match="只能是：en, zh"):
        options(console, "--lang", "fr")


@pytest.mark.parametrize("command", [console, send, export])
def test_it_ends_the_process_with_one_line(command: ModuleType) -> None:
    with pytest.raises(SystemExit) as ended:
        command.run(given(command, "-s", "a\x1b[31m b", "--lang=en", *([] if command is console else ["bob"])))
    assert str(ended.value).startswith("imd: a␛[31m b is not a server address")
    assert "\n" not in str(ended.value)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("command", [console, send, export])
def test_every_option_has_its_help(command: ModuleType, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imd_client.options.language_here", lambda: language)
    parser = argparse.ArgumentParser(add_help=False)
    command.add_arguments(parser)
    told = io.StringIO()
    parser.print_help(told)
    assert catalog.say("option.user", language)[:10] in told.getvalue()
    assert all(action.help for action in parser._actions)


@pytest.mark.parametrize(
    ("arguments", "terminal", "installed", "shown"),
    [
        ([], True, True, "full screen"),
        (["--plain"], True, True, "edited lines"),
        ([], False, True, "lines"),
        ([], True, False, "lines, but for the extra"),
        (["--plain"], True, False, "lines"),
    ],
)
def test_how_the_console_is_shown(
    arguments: list[str], terminal: bool, installed: bool, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "is_capable_terminal", lambda: terminal)
    monkeypatch.setattr(console, "find_spec", lambda name: object() if installed else None)
    found = options(console, *arguments)
    assert found.full_screen == (shown == "full screen")
    assert found.edits_lines == (shown in ("full screen", "edited lines"))
    assert found.lacks_extra == (shown == "lines, but for the extra")


def test_a_state_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database, but long enough to be seen as something else " * 20)
    for path in ("text", "text/below"):
        with pytest.raises(OptionError, match="cannot be used"):
            options(console, "--state", str(tmp_path / path), "--lang", "en").open_state()
