"""The configuration: where a value comes from, and what is said of a wrong one."""

import re
from pathlib import Path
from typing import Any

import attrs
import pytest

from imd.chat.base.limits import Limits
from imd.run.config import KEYS, Config, load
from imd.run.endpoints import DEFAULT_ENDPOINT
from imd.run.errors import OperatorError

NUMBERS = {name: 100_000 for name in KEYS if name in attrs.fields_dict(Limits)}
NUMBERS |= {"password_characters": 64, "token_days": 7, "login_seconds": 60}
"""A value for each limit, other than its default."""

ROOT = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "imd.toml"
    path.write_text('register = "closed"\nburst = 7\ndata_dir = "data"\nlisten = "tcp:1"\n')
    return path


def told(file: Path, text: str) -> str:
    """Give what is said of a file with this text."""
    file.write_text(text)
    with pytest.raises(OperatorError) as error:
        load({"config": str(file)}, {})
    return str(error.value)


def test_the_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    config = load({}, {"HOME": "/root", "IMDB": "no", "IMD_BURST": ""})
    assert config == Config(data_dir=tmp_path / "imd-data", listen=(DEFAULT_ENDPOINT,), limits=Limits())
    assert config.language == "en"


def test_every_key_comes_from_the_file(file: Path, tmp_path: Path) -> None:
    text = ['data_dir = "d"', 'listen = ["tcp:1", "tcp:2"]', 'register = "invite"', 'language = "zh"']
    text += ['acme = ["chat.example"]', 'acme_url = "http://ca"']
    text += ['proxies = ["10.0.0.0/8"]']
    text += ['metrics = "unix:/m"', 'log_format = "json"', 'log_file = "l"']
    text += [f"{name} = {number}" for name, number in NUMBERS.items()]
    file.write_text("\n".join(text))
    config = load({"config": str(file)}, {})
    assert config == Config(
        data_dir=tmp_path / "d",
        listen=("tcp:1", "tcp:2"),
        proxies=("10.0.0.0/8",),
        acme=("chat.example",),
        acme_url="http://ca",
        register="invite",
        language="zh",
        metrics="unix:/m",
        log_format="json",
        log_file=tmp_path / "l",
        limits=Limits(**NUMBERS),
        file=file,
    )
    file.write_text(f'certificate = "c.pem"\nkey = "{tmp_path}/k.pem"\n')
    config = load({"config": str(file)}, {})
    assert (config.certificate, config.key) == (tmp_path / "c.pem", tmp_path / "k.pem")


def test_every_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {"IMD_DATA_DIR": "d", "IMD_LISTEN": "tcp:1 tcp:2", "IMD_REGISTER": "invite", "IMD_LANGUAGE": "zh"}
    environment |= {"IMD_CERTIFICATE": "/c.pem", "IMD_KEY": "k.pem"}
    environment |= {f"IMD_{name.upper()}": str(number) for name, number in NUMBERS.items()}
    config = load({}, environment)
    assert config == Config(
        data_dir=tmp_path / "d",
        listen=("tcp:1", "tcp:2"),
        register="invite",
        certificate=Path("/c.pem"),
        key=tmp_path / "k.pem",
        language="zh",
        limits=Limits(**NUMBERS),
    )


def test_an_option_goes_before_the_environment_and_that_before_the_file(file: Path) -> None:
    options = {"config": str(file), "register": "open"}
    environment = {"IMD_REGISTER": "invite", "IMD_BURST": "8"}
    config = load(options, environment)
    assert (config.register, config.limits.burst, config.listen) == ("open", 8, ("tcp:1",))
    assert load({"config": str(file)}, environment).register == "invite"
    assert load({}, {"IMD_CONFIG": str(file)}).register == "closed"
    assert load({}, {"IMD_CONFIG": str(file)}).limits.burst == 7


def test_a_path_in_the_file_begins_where_the_file_lies(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert load({"config": str(file)}, {}).data_dir == file.parent / "data"
    assert load({"config": str(file), "data_dir": "x"}, {}).data_dir == Path("/x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("brst = 1", "brst is not a setting of imd. Did you mean burst?"),
        ("zzz = 1", "zzz is not a setting of imd"),
        ("config = 'x'", "config is not a setting of imd"),
        ("burst = 'many'", "burst must be a whole number from 1 to 1000000, not 'many'"),
        ("burst = '100'", "burst must be a whole number from 1 to 1000000, not '100'"),
        ("burst = 0", "burst must be a whole number from 1 to 1000000, not 0"),
        ("login_seconds = -1", "login_seconds must be a whole number from 1 to 86400, not -1"),
        ("key = '~nosuchuser/key'", "key must be a path, not '~nosuchuser/key'"),
        ("burst = -1", "burst must be a whole number from 1 to 1000000, not -1"),
        ("burst = 1.5", "burst must be a whole number from 1 to 1000000, not 1.5"),
        ("burst = true", "burst must be a whole number from 1 to 1000000, not True"),
        ("register = 'always'", "register must be one of open, invite, closed, not 'always'"),
        ("burst = 1000001", "burst must be a whole number from 1 to 1000000, not 1000001"),
        (f"burst = {2**70}", f"burst must be a whole number from 1 to 1000000, not {2**70}"),
        ("waiting_writes = 1", "waiting_writes is not a setting of imd"),
        ("log_format = 'xml'", "log_format must be one of text, json, not 'xml'"),
        ('key = "\\u0000"', "key must be a path, not '\\x00'"),
        ("acme_url = ''", "acme_url must be a text that is not empty, not ''"),
        ("metrics = 2026-11-30", "metrics must be a text that is not empty, not datetime.date(2026, 11, 30)"),
        ("register = 1", "register must be one of open, invite, closed, not 1"),
        ("language = 'fr'", "language must be one of en, zh, not 'fr'"),
        ("data_dir = 1", "data_dir must be a path, not 1"),
        ("data_dir = ''", "data_dir must be a path, not ''"),
        ("listen = []", "listen must be a list of texts, not []"),
        ("listen = [1]", "listen must be a list of texts, not [1]"),
        ("listen = {}", "listen must be a list of texts, not {}"),
    ],
)
def test_a_wrong_file_is_told_in_one_line(file: Path, text: str, said: str) -> None:
    assert told(file, text) == f"{file}: {said}"


def test_a_file_that_is_none(file: Path, tmp_path: Path) -> None:
    assert told(file, "register =").startswith(f"{file} is not valid TOML: ")
    file.write_bytes(b"\xff")
    with pytest.raises(OperatorError, match="is not valid TOML"):
        load({"config": str(file)}, {})
    with pytest.raises(OperatorError, match=f"cannot read {tmp_path}/none: No such file or directory"):
        load({"config": f"{tmp_path}/none"}, {})


@pytest.mark.parametrize(
    ("options", "environment", "said"),
    [
        ({}, {"IMD_BRST": "1"}, "IMD_BRST is not a setting of imd. Did you mean IMD_BURST?"),
        ({}, {"IMD_BURST": "x"}, "IMD_BURST must be a whole number from 1 to 1000000, not 'x'"),
        ({}, {"IMD_BURST": "-1"}, "IMD_BURST must be a whole number from 1 to 1000000, not '-1'"),
        ({}, {"IMD_REGISTER": "x"}, "IMD_REGISTER must be one of open, invite, closed, not 'x'"),
        ({"register": "x"}, {}, "--register must be one of open, invite, closed, not 'x'"),
        ({"data_dir": ""}, {}, "--data-dir must be a path, not ''"),
        ({"certificate": "c.pem"}, {}, "certificate and key go together: give both or neither"),
        ({}, {"IMD_KEY": "k.pem"}, "certificate and key go together: give both or neither"),
        (
            {"certificate": "c.pem", "key": "k.pem"},
            {"IMD_ACME": "chat.example"},
            "certificate and acme cannot both be set: use your own certificate, or let imd obtain one",
        ),
    ],
)
def test_a_wrong_option_or_variable(options: dict[str, Any], environment: dict[str, str], said: str) -> None:
    with pytest.raises(OperatorError) as error:
        load(options, environment)
    assert str(error.value) == said


def test_a_number_beyond_all_bounds_is_told_like_any_other() -> None:
    with pytest.raises(OperatorError, match="IMD_BURST must be a whole number from 1 to 1000000"):
        load({}, {"IMD_BURST": "9" * 5_000})


def test_the_clients_variables_are_none_of_the_daemons_business() -> None:
    assert load({}, {"IMD_SERVER": "chat.example", "IMD_PASSWORD": "secret"})


@pytest.mark.parametrize(
    ("listen", "register", "registration"),
    [
        ((), None, "open"),
        (("imd:1:interface=127.0.0.1", "unix:/run/imd"), None, "open"),
        (("imd:1",), None, "invite"),
        (("imd:1:interface=127.0.0.1", "imd:2"), None, "invite"),
        (("imd:1",), "open", "open"),
        ((), "closed", "closed"),
    ],
)
def test_registration_is_open_on_loopback_alone(
    listen: tuple[str, ...], register: str | None, registration: str
) -> None:
    given = {"listen": list(listen), "register": register}
    assert load({key: value for key, value in given.items() if value}, {}).registration == registration


def test_limits_that_are_no_keys_follow_from_those_that_are() -> None:
    limits = load({}, {"IMD_LOGIN_SECONDS": "6", "IMD_CONNECTIONS": "50000"}).limits
    assert (limits.handshake_seconds, limits.stall_seconds, limits.unauthenticated) == (2, 6, 5_000)
    limits = load({}, {"IMD_LOGIN_SECONDS": "1", "IMD_CONNECTIONS": "2"}).limits
    assert (limits.handshake_seconds, limits.stall_seconds, limits.strangers) == (1, 1, 1)


def test_the_manual_names_every_key() -> None:
    manual = (ROOT / "docs" / "operate.md").read_text("utf-8").partition("## Settings")[2]
    rows = re.findall(r"^\| (`.+?`) \|", manual, re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(KEYS)
    for field in attrs.fields(Limits):
        assert field.name not in KEYS or f"| `{field.name}` | {field.default} |" in manual
