"""Administration from the command line, beside a stopped daemon."""

import io
import sqlite3
from pathlib import Path

import pytest
from twisted.internet import reactor

from imd.run import admin_cli, cli, operator
from imd.run.config import load
from imd.run.directory import DataDirectory
from imd.run.errors import OperatorError
from imd.store import sqlite
from imd.wire import build
from imd.wire.base import Reply, registry


async def told(data: Path, action: str, **fields: object) -> list[str]:
    """Carry out a command and give what the terminal shows of it."""
    spec = registry.actions[action]
    config = load({"data_dir": str(data)}, {})
    return operator.render_reply(
        spec, await operator.ask(reactor, config, spec, build.build(spec, fields, strict=False))
    )


async def test_accounts_are_administered(tmp_path: Path) -> None:
    (made,) = await told(tmp_path, "user_add", username="alice", admin=True)
    assert made.startswith("username=alice password=")
    assert await told(tmp_path, "user_add", username="bob", password="correct horse") == ["username=bob"]
    alice, _ = await told(tmp_path, "user_list")
    assert alice.startswith("alice, since ")
    assert alice.endswith(", admin")
    assert await told(tmp_path, "user_disable", username="bob") == ["Done."]
    assert (await told(tmp_path, "user_list", after="alice"))[0].endswith(", disabled")
    (invite,) = await told(tmp_path, "invite_create", uses="3")
    assert " uses=3 " in invite


async def test_policies_words_and_announcements_are_administered(tmp_path: Path) -> None:
    shown = await told(tmp_path, "policy_set", requests_per_second="0", registration="closed")
    assert shown == ["registration=closed requests_per_second=0 burst=100 strangers_per_day=100"]
    assert await told(tmp_path, "policy_show") == shown
    assert await told(tmp_path, "policy_reset") == ["What is configured holds again."]
    assert await told(tmp_path, "word_add", word="Casino") == ["What holds this word is turned away."]
    assert await told(tmp_path, "word_list") == ["casino"]
    [made] = await told(tmp_path, "announcement_add", content="tea at four", days="2")
    assert made.startswith("number=1 expires=")
    [line] = await told(tmp_path, "announcement_list")
    assert line.endswith("*operator: tea at four")
    assert await told(tmp_path, "report_list") == ["The reports."]
    log = [line.split(": ", 1)[1] for line in await told(tmp_path, "audit_list")]
    assert log[1:] == [
        "word_add word=Casino",
        "policy_reset",
        "policy_set registration=closed requests_per_second=0 ->"
        " registration=closed requests_per_second=0 burst=100 strangers_per_day=100",
    ]
    assert log[0].startswith('announcement_add content="tea at four" days=2 -> number=1 ')


async def test_a_refusal_is_a_sentence_and_the_directory_is_let_go(tmp_path: Path) -> None:
    with pytest.raises(operator.CommandRefused, match=r"^There is nobody called bob here\.$"):
        await told(tmp_path, "user_disable", username="bob")
    directory = DataDirectory(tmp_path)
    directory.acquire()
    with pytest.raises(OperatorError, match="in use by another imd"):
        await told(tmp_path, "user_list")
    directory.release()


async def test_no_directory_is_made_by_mistake(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="there is no data directory"):
        await told(tmp_path / "typo", "user_list")
    assert not (tmp_path / "typo").exists()


async def test_what_could_not_be_stored_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged_failures: list[object]
) -> None:
    def full(connection: object, batch: object) -> list[object]:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(sqlite, "run_group", full)
    with pytest.raises(OperatorError, match="disk is full"):
        await told(tmp_path, "invite_create")
    logged_failures.clear()


async def test_a_house_is_empty_until_there_is_an_account(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    directory.acquire()
    database = directory.open_database(reactor)
    server = operator.Server(
        database=database, reactor=reactor, passwords=operator.Passwords(operator.InlineExecutor())
    )
    assert await operator.first_invite(server)
    assert await operator.has_no_accounts(server)
    await server.ask(
        build.build(registry.actions["user_add"], {"username": "a"}, strict=True), operator.operator_caller(server)
    )
    assert not await operator.has_no_accounts(server)
    await database.close()
    directory.release()


def test_an_answer_without_content_is_its_sentence() -> None:
    assert operator.render_reply(registry.actions["user_disable"], Reply()) == ["Done."]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("invite create --days soon", "imd: The field days must be a whole number, not text.\n"),
        ("user role bob boss", "imd: The field role must be one of: admin, user.\n"),
        ("policy set --burst 0", "imd: The field burst is too small: at least 1.\n"),
        ("user add \udcff", "imd: The line is not valid UTF-8.\n"),
        ("user list --config /none", "imd: cannot read /none: No such file or directory\n"),
    ],
)
async def test_what_is_wrong_is_one_line(
    line: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    namespace = cli.program().parse([*line.split(), "--data-dir", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        await admin_cli.ask(reactor, namespace)
    assert ended.value.code == 1
    assert capsys.readouterr().err == said


async def test_a_password_may_come_from_the_standard_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\nmore\n"))
    await admin_cli.ask(reactor, cli.program().parse(["user", "add", "bob", "-", "-d", str(tmp_path)]))
    assert capsys.readouterr().out == "username=bob\n"
