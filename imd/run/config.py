"""The configuration: every key from the TOML file, the environment (IMD_ and the key in capitals), or an option.

An option goes before the environment, that before the file, that before the default. What nobody would have meant (an
unknown key, a wrong type) is an OperatorError that says where it stands.
"""

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import attrs

from imd.chat.limits import Limits
from imd.run.endpoints import DEFAULT_ENDPOINT, is_network, loopback_only
from imd.run.errors import OperatorError
from imd.wire.catalog import LANGUAGES

PREFIX = "IMD_"
CLIENTS = {"IMD_SERVER", "IMD_PASSWORD"}
"""Variables of `imd chat` and `imd send`, which may well be set where a daemon is started."""


@attrs.frozen
class Config:
    """What the daemon is told. Paths are absolute: twistd changes its directory."""

    data_dir: Path
    listen: tuple[str, ...] = (DEFAULT_ENDPOINT,)
    """Endpoint strings."""

    proxies: tuple[str, ...] = ()
    """Addresses and networks of balancers that speak the PROXY protocol."""

    register: str | None = None
    """Who may register: open, invite or closed. None leaves it to `registration`."""

    certificate: Path | None = None
    key: Path | None = None
    acme: tuple[str, ...] = ()
    """The names for which a certificate is got by ACME."""

    acme_url: str = "https://acme-v02.api.letsencrypt.org/directory"
    acme_email: str | None = None
    metrics: str | None = None
    """The endpoint string of the figures for Prometheus, which only this machine may reach."""

    log_format: str = "text"
    """text, or json: one object a line."""

    log_file: Path | None = None
    """None leaves the log to the terminal, or to twistd."""

    log_bytes: int = 10_485_760
    log_files: int = 5
    language: str = "en"
    """What a session reads before it says HELLO lang=..."""

    limits: Limits = attrs.Factory(Limits)
    file: Path | None = None
    """The file it was read from."""

    @property
    def registration(self) -> str:
        """Who may register: as told, else anyone on loopback and by invite beyond it."""
        return self.register or ("open" if all(map(loopback_only, self.listen)) else "invite")


CHOICES = {"register": ("open", "invite", "closed"), "language": LANGUAGES, "log_format": ("text", "json")}
LEAST = {
    "burst": 1,
    "waiting_writes": 1,
    "connections": 2,
    "unauthenticated": 1,
    "line_bytes": 128,
    "stranger_line_bytes": 128,
}
"""With less of these nobody could say a word, not even the operator. All others begin at 0."""

LEAST |= {"log_bytes": 1000, "log_files": 2}
"""A log of none would never begin another file; one that ends moves aside, and that makes two."""

KINDS: dict[str, Any] = {"data_dir": Path, "listen": tuple, "register": str, "certificate": Path, "key": Path}
KINDS |= {"acme": tuple, "acme_url": str, "acme_email": str}
KINDS |= {"proxies": tuple, "metrics": str, "language": str}
KINDS |= {"log_format": str, "log_file": Path, "log_bytes": int, "log_files": int}
KINDS |= {field.name: field.type for field in attrs.fields(Limits)}
"""Every key and what it holds. Each limit is a key of its own."""


@attrs.frozen
class Said:
    """One value as it was found: `name` is how its source calls the key, `base` where its relative paths begin."""

    value: object
    name: str
    base: Path = attrs.field(factory=Path.cwd)


def load(options: Mapping[str, Any], environment: Mapping[str, str]) -> Config:
    """Gather the configuration; `options` holds those that were given. Raises OperatorError."""
    given = {key: Said(value, f"--{key.replace('_', '-')}") for key, value in options.items()}
    given = _environment(environment) | given
    file = None
    if named := given.pop("config", None):
        file = (named.base / str(named.value)).absolute()
        given = _file(file) | given
    values = {key: _checked(key, said) for key, said in given.items()}
    if ("certificate" in values) != ("key" in values):
        raise OperatorError("certificate_and_key")
    if "certificate" in values and "acme" in values:
        raise OperatorError("certificate_or_acme")
    for network in values.get("proxies", ()):
        if not is_network(network):
            raise OperatorError("proxies", name=given["proxies"].name, value=network)
    if "metrics" in values and not loopback_only(values["metrics"]):
        raise OperatorError("metrics_open", listen=values["metrics"])
    limits = {key: values.pop(key) for key in list(values) if key in attrs.fields_dict(Limits)}
    return Config(**{"data_dir": Path.cwd() / "imd-data", **values}, limits=Limits(**limits), file=file)


def _environment(environment: Mapping[str, str]) -> dict[str, Said]:
    found = {}
    for name, text in environment.items():
        if name.startswith(PREFIX) and name not in CLIENTS and text:
            key = name.removeprefix(PREFIX).lower()
            if key not in KINDS and key != "config":
                raise _unknown(name, [PREFIX + known.upper() for known in (*KINDS, "config")])
            found[key] = Said(_from_text(KINDS.get(key), text), name)
    return found


def _from_text(kind: Any, text: str) -> object:
    """Give a variable's text the shape a file would hold; what does not fit is left for `_checked` to name."""
    if kind is tuple:
        return text.split()
    return int(text) if kind is int and text.removeprefix("-").isdecimal() else text


def _file(path: Path) -> dict[str, Said]:
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise OperatorError("unreadable", path=path, reason=error.strerror) from None
    except ValueError as error:  # TOMLDecodeError, UnicodeDecodeError
        raise OperatorError("not_toml", path=path, reason=error) from None
    for key in table:
        if key not in KINDS:
            raise _unknown(f"{path}: {key}", list(KINDS), key)
    return {key: Said(value, f"{path}: {key}", path.absolute().parent) for key, value in table.items()}


def _unknown(name: str, known: list[str], typed: str = "") -> OperatorError:
    near = get_close_matches(typed or name, known, n=1)
    return (
        OperatorError("unknown_key.near", name=name, suggestion=near[0])
        if near
        else OperatorError("unknown_key", name=name)
    )


def _checked(key: str, said: Said) -> Any:
    """Give the value as its key holds it, or raise the OperatorError that names the place and the fault."""
    kind, value, least = KINDS[key], said.value, LEAST.get(key, 0)
    if kind is tuple and isinstance(value, str):
        value = [value]
    if kind is tuple and isinstance(value, list) and value and all(isinstance(each, str) and each for each in value):
        return tuple(value)
    if kind is int and type(value) is int and value >= least:
        return value
    if kind in (str, Path) and isinstance(value, str) and value and value in CHOICES.get(key, (value,)):
        try:
            return (said.base / Path(value).expanduser()).absolute() if kind is Path else value
        except RuntimeError:  # ~nobody: there is no such home
            raise OperatorError("kind.Path", name=said.name, value=value) from None
    if key in CHOICES:
        raise OperatorError("choice", name=said.name, value=value, choices=", ".join(CHOICES[key]))
    raise OperatorError(f"kind.{kind.__name__}", name=said.name, value=value, least=least)
