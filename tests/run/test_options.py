"""Options: what they become, and how a mistake is told."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import imd_client
import pytest
from twisted.python import usage

import imd.run
from imd.run import cli
from imd.run.options import Options, PlainOptions
from imd.wire.base import Right, registry


def parsed(options: PlainOptions, line: str) -> Any:
    """Parse a line and give the options that it leads to."""
    options.parseOptions(line.split())
    chosen: Any = options
    while chosen.subCommand:
        chosen = chosen.subOptions
    return chosen


def mistake(options: PlainOptions, line: str) -> str:
    """Parse a line that is wrong and give what ends the process."""
    with pytest.raises(SystemExit) as ended:
        parsed(options, line)
    return str(ended.value)


def test_the_daemons_options_become_its_configuration() -> None:
    options = parsed(Options(), "-d /x --listen tcp:1 -l tcp:2 -r closed --language zh --certificate /c --key /k")
    config = options.config()
    assert str(config.data_dir) == "/x"
    assert config.listen == ("tcp:1", "tcp:2")
    assert (config.register, config.language) == ("closed", "zh")
    assert (str(config.certificate), str(config.key)) == ("/c", "/k")


def test_options_that_are_not_given_leave_room_for_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMD_REGISTER", "invite")
    assert parsed(Options(), "").config().register == "invite"
    assert parsed(Options(), "-r closed").config().register == "closed"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--listn tcp:1", "imd: option --listn not recognized. Did you mean --listen?"),
        ("--quite-other", "imd: option --quite-other not recognized"),
        ("--data-dir", "imd: option --data-dir requires argument"),
        ("-x", "imd: option -x not recognized"),
        ("extra", "imd: extra is one word too many"),
    ],
)
def test_a_wrong_option_is_one_line(line: str, said: str) -> None:
    assert mistake(Options(), line) == said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("usr", "imd: Unknown command: usr. Did you mean user?"),
        ("user ad bob", "imd: Unknown command: ad. Did you mean add?"),
        ("user add bob --amin", "imd: option --amin not recognized. Did you mean --admin?"),
        ("user add bob secret more", "imd: more is one word too many"),
        ("user list bob", "imd: bob is one word too many"),
        ("chat --sever x", "imd: option --sever not recognized. Did you mean --server?"),
        ("run --regster open", "imd: option --regster not recognized. Did you mean --register?"),
        ("run extra", "imd: extra is one word too many"),
    ],
)
def test_a_wrong_word_of_the_imd_command(line: str, said: str) -> None:
    assert mistake(cli.Imd(), line) == said


@pytest.mark.parametrize("line", ["", "user", "invite"])
def test_half_a_command_is_answered_with_help(line: str) -> None:
    assert mistake(cli.Imd(), line).startswith(f"Usage: imd {line} COMMAND [options]".replace("  ", " "))


@pytest.mark.parametrize(
    ("line", "usage_line"),
    [
        ("-h", "Usage: imd COMMAND [options]"),
        ("run -h", "Usage: imd run [options]"),
        ("check --help", "Usage: imd check [options]"),
        ("chat -h", "Usage: imd chat [options] [server]"),
        ("send -h", "Usage: imd send [options] to"),
        ("user -h", "Usage: imd user COMMAND [options]"),
        ("user add -h", "Usage: imd user add [options] username [password]"),
        ("user list -h", "Usage: imd user list [options]"),
        ("invite create -h", "Usage: imd invite create [options]"),
    ],
)
def test_every_command_has_help(line: str, usage_line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert mistake(cli.Imd(), line) == "0"
    assert capsys.readouterr().out.splitlines()[0] == usage_line


@pytest.mark.parametrize("line", ["--version", "run --version", "chat --version", "user add --version"])
def test_every_command_tells_its_version(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert mistake(cli.Imd(), line) == "0"
    assert capsys.readouterr().out == f"imd {imd.__version__}\n"


def test_every_admins_command_is_on_the_command_line() -> None:
    for spec in registry:
        if spec.right is Right.ADMIN:
            noun, verb = spec.verb.lower().split()
            words = " ".join(["word"] * len(spec.takes))
            assert parsed(cli.Imd(), f"{noun} {verb} {words}").spec is spec


@pytest.mark.parametrize(
    "line", ["bob --admin -d /x", "--admin bob -d/x", "--data-dir=/x bob --admin", "-d /x --admin bob"]
)
def test_options_of_administration_stand_anywhere(line: str) -> None:
    options = parsed(cli.Imd(), f"user add {line}")
    assert (options["username"], options["admin"], options["data-dir"]) == ("bob", 1, "/x")


def test_the_daemons_options_are_kept_for_twistd() -> None:
    assert parsed(cli.Imd(), "run -d /x --listen tcp:1").given == ["-d", "/x", "--listen", "tcp:1"]


def test_a_dash_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", open("/dev/null", encoding="utf-8"))  # noqa: SIM115
    assert parsed(cli.Imd(), "user add bob -")["password"] == ""


def test_options_are_twisteds() -> None:
    assert issubclass(Options, usage.Options), "twistd hands its sub-command's options to makeService"


def test_what_is_printed_is_made_harmless_in_one_place() -> None:
    """Beside it stand: the log, a secret for the terminal alone, versions, and help."""
    allowed = {"options.py": 4, "log.py": 1, "service.py": 1, "prompt.py": 1}
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
        ("echo imd-sealed-1 > {data}/sealed; imd verify {data}/sealed <&-", 1, "passphrase"),
        ("imd user passwd ann - --data-dir {data} <&-", 1, ""),
    ],
)
def test_whoever_reads_or_does_not_there_is_no_traceback(line: str, code: int, said: str, tmp_path: Path) -> None:
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    environment |= {"IMD_LISTEN": "imd:0:interface=127.0.0.1"}
    done = subprocess.run(["bash", "-c", line.format(data=tmp_path)], env=environment, capture_output=True, text=True)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    assert said in done.stderr
