"""Options: what they become, and how a mistake is told."""

import re
import subprocess
import sys
import unicodedata
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import imd_client
import pytest
from twisted.python import usage

import imd.run
from imd.run import admin_cli, cli
from imd.run.options import SHORT, Options
from imd.run.parser import Parser
from imd.wire import catalog
from imd.wire.base import Right, registry


@pytest.fixture
def in_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "language_here", lambda: "zh")


def twistd(line: str) -> Options:
    """Read a line of `twistd imd`."""
    options = Options()
    options.parseOptions(line.split())
    return options


def parsed(line: str) -> Namespace:
    """Read a line of `imd`."""
    return cli.program().parse(line.split())


def mistake(line: str) -> str:
    """Carry out a line that is wrong, or asks for help, and give what ends the process."""
    with pytest.raises(SystemExit) as ended:
        cli.run_command(line.split())
    return str(ended.value)


def test_the_daemons_options_become_its_configuration() -> None:
    config = twistd("-d /x --listen tcp:1 -l tcp:2 -r closed --language zh --certificate /c --key /k").config()
    assert str(config.data_dir) == "/x"
    assert config.listen == ("tcp:1", "tcp:2")
    assert (config.register, config.language) == ("closed", "zh")
    assert (str(config.certificate), str(config.key)) == ("/c", "/k")


def test_options_that_are_not_given_leave_room_for_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMD_REGISTER", "invite")
    assert twistd("").config().register == "invite"
    assert twistd("-r closed").config().register == "closed"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--listn tcp:1", "imd: --listn is not an option of twistd imd. Did you mean --listen?"),
        ("--listn=tcp:1", "imd: --listn is not an option of twistd imd. Did you mean --listen?"),
        ("--quite-other", "imd: --quite-other is not an option of twistd imd"),
        ("--data-dir", "imd: --data-dir needs a value"),
        ("-d", "imd: --data-dir needs a value"),
        ("--version=2", "imd: --version takes no value"),
        ("-x", "imd: -x is not an option of twistd imd"),
        ("extra", "imd: extra is one argument too many"),
    ],
)
def test_a_wrong_option_is_one_line(line: str, said: str) -> None:
    with pytest.raises(SystemExit) as ended:
        twistd(line)
    assert str(ended.value) == said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("usr", "imd: usr is not a command of imd. Did you mean user?"),
        ("--verson usr", "imd: --verson is not an option of imd. Did you mean --version?"),
        ("user ad bob", "imd: ad is not a command of imd user. Did you mean add?"),
        ("user add bob --amin", "imd: --amin is not an option of imd user add. Did you mean --admin?"),
        ("user add bob --display x", "imd: --display is not an option of imd user add. Did you mean --display-name?"),
        ("user add", "imd: imd user add needs username"),
        ("user add bob secret more", "imd: more is one argument too many"),
        ("user add bob --admin secret more", "imd: more is one argument too many"),
        ("user list bob", "imd: bob is one argument too many"),
        ("chat --sever x", "imd: --sever is not an option of imd chat. Did you mean --server?"),
        ("run --regster open", "imd: --regster is not an option of imd run. Did you mean --register?"),
        ("run extra", "imd: extra is one argument too many"),
        ("backup", "imd: imd backup needs FILE"),
    ],
)
def test_a_wrong_word_of_the_imd_command(line: str, said: str) -> None:
    assert mistake(line) == said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("usr", "imd: imd 没有 usr 这个命令。是想输入 user 吗？"),
        ("run --listn x", "imd: imd run 没有 --listn 这个选项。是想输入 --listen 吗？"),
        ("run --listen", "imd: --listen 需要一个值"),
        ("status --json=1", "imd: --json 不带值"),
        ("run extra", "imd: 多了一个参数：extra"),
        ("backup", "imd: imd backup 缺少 FILE"),
    ],
)
@pytest.mark.usefixtures("in_chinese")
def test_a_mistake_is_told_in_chinese(line: str, said: str) -> None:
    assert mistake(line) == said


def parsers(parser: Parser) -> Iterator[Parser]:
    """Go through every command."""
    yield parser
    for each in parser.commands.values():
        yield from parsers(each)


@pytest.mark.usefixtures("in_chinese")
def test_help_is_in_the_persons_language() -> None:
    """Nothing of it is argparse's own."""
    for parser in parsers(cli.program()):
        help_text = parser.format_help()
        assert help_text.startswith(f"用法：{parser.prog} ")
        assert not re.findall("usage|options|arguments|positional|optional|show this|show program|exit", help_text)


def test_every_command_fits_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for language in catalog.LANGUAGES:
        monkeypatch.setattr(catalog, "language_here", lambda language=language: language)
        monkeypatch.setenv("COLUMNS", "80")
        for parser in parsers(cli.program()):
            assert max(map(width, parser.format_help().splitlines()[1:])) <= 80, parser.prog


def width(line: str) -> int:
    """Count the columns of a line."""
    return sum(1 + (unicodedata.east_asian_width(each) in "WF") for each in line)


@pytest.mark.parametrize("line", ["", "user", "invite"])
def test_half_a_command_is_answered_with_help(line: str) -> None:
    assert mistake(line).startswith(f"Usage: imd {line} COMMAND [options]".replace("  ", " "))


@pytest.mark.parametrize(
    ("line", "usage_line"),
    [
        ("-h", "Usage: imd COMMAND [options]"),
        ("run -h", "Usage: imd run [options]"),
        ("check --help", "Usage: imd check [options]"),
        ("backup --help", "Usage: imd backup [options] FILE"),
        ("verify --help", "Usage: imd verify [options] [FILE]"),
        ("chat -h", "Usage: imd chat [options] [server]"),
        ("send -h", "Usage: imd send [options] to"),
        ("user -h", "Usage: imd user COMMAND [options]"),
        ("user add -h", "Usage: imd user add [options] username [password]"),
        ("user list -h", "Usage: imd user list [options]"),
        ("invite create -h", "Usage: imd invite create [options]"),
    ],
)
def test_every_command_has_help(line: str, usage_line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert mistake(line) == "0"
    assert capsys.readouterr().out.splitlines()[0] == usage_line


@pytest.mark.parametrize("line", ["--version", "run --version", "chat --version", "user add --version"])
def test_every_command_tells_its_version(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert mistake(line) == "0"
    assert capsys.readouterr().out == f"imd {imd.__version__}\n"


def test_every_admins_command_is_on_the_command_line() -> None:
    for spec in registry:
        if spec.right is Right.ADMIN:
            noun, verb = spec.verb.lower().split()
            words = " ".join(["word"] * len(spec.takes))
            assert parsed(f"{noun} {verb} {words}").spec is spec


@pytest.mark.parametrize(
    "line",
    [
        "bob - --admin -d /x",
        "bob --admin -d /x -",
        "--admin bob -d/x -",
        "--data-dir=/x bob --admin -",
        "-d /x --admin bob -- -",
    ],
)
def test_options_of_administration_stand_anywhere(line: str) -> None:
    given = vars(parsed(f"user add {line}"))
    assert (given["field username"], given["field password"]) == ("bob", "-")
    assert (given["field admin"], given["data_dir"]) == (True, "/x")


def test_after_two_dashes_everything_is_a_word() -> None:
    assert vars(parsed("user add --admin -- -bob"))["field username"] == "-bob"


def test_imd_run_hands_its_options_to_twistd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "runApp", started := Mock())
    cli.run_command(["run", "-d", "/x", "--listen", "tcp:1", "-r", "closed"])
    [[options], _] = started.call_args
    assert options.subOptions.config() == twistd("-d /x --listen tcp:1 -r closed").config()
    assert options["nodaemon"]


def test_imd_run_and_twistd_imd_take_the_same() -> None:
    options = [parsed(f"run --{key.replace('_', '-')} x") for key in SHORT]
    assert [vars(each)[key] for each, key in zip(options, SHORT, strict=True)] == [
        twistd(f"--{key.replace('_', '-')} x")[key] for key in SHORT
    ]


def test_a_dash_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", open("/dev/null", encoding="utf-8"))  # noqa: SIM115
    assert admin_cli._prompt("password") == ""


def test_options_are_twisteds() -> None:
    assert issubclass(Options, usage.Options), "twistd hands its sub-command's options to makeService"


def test_what_is_printed_is_made_harmless_in_one_place() -> None:
    """Beside it stand: the log, a secret for the terminal alone, versions, and help."""
    allowed = {"options.py": 1, "parser.py": 1, "prompt.py": 1, "log.py": 1, "service.py": 1}
    printing = {}
    for floor in (Path(imd.run.__path__[0]), Path(imd_client.__path__[0])):
        for path in floor.rglob("*.py"):
            count = len(re.findall(r"(?<![\w.])print\(", path.read_text()))
            if count:
                name = str(path.relative_to(floor))
                printing[name] = printing.get(name, 0) + count
    assert printing == allowed


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("imd check --data-dir {data} | true", 0, ""),
        ("imd check --data-dir {data} > /dev/full", 1, "No space left on device"),
        ("PYTHONIOENCODING=latin-1 imd check --data-dir {data}/小明 > {data}/out", 0, ""),
        ("echo age-encryption.org/v1 > {data}/backup; imd verify {data}/backup <&-", 1, "--identity"),
        ("imd user passwd ann - --data-dir {data} <&-", 1, ""),
    ],
)
def test_whoever_reads_or_does_not_there_is_no_traceback(line: str, code: int, said: str, tmp_path: Path) -> None:
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    environment |= {"IMD_LISTEN": "imd:0:interface=127.0.0.1"}
    done = subprocess.run(["bash", "-c", line.format(data=tmp_path)], env=environment, capture_output=True, text=True)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    assert said in done.stderr
