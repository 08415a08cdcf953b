"""The configuration: every key from the TOML file, the environment (IMD_ and the key in capitals), or an option.

An option overrides the environment, that the file, and that the default. Each key is declared once, as a field of
Config or Limits with its type and bounds. An unknown key or a value that does not fit is an OperatorError that says
where it stands.
"""

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import attrs
import msgspec
from msgspec import Meta
from msgspec.inspect import CustomType, IntType, LiteralType, VarTupleType, type_info

from imd.chat.limits import Limits
from imd.run.endpoints import DEFAULT_ENDPOINT, is_network, loopback_only
from imd.run.errors import OperatorError
from imd.wire.fields import Language
from imd.wire.policies import Registration

PREFIX = "IMD_"
CLIENT_VARIABLES = {"IMD_SERVER", "IMD_PASSWORD"}
"""Variables of `imd chat` and `imd send`, which may well be set where a daemon is started."""

Text = Annotated[str, Meta(min_length=1)]
Texts = tuple[Text, ...]


@attrs.frozen
class Config:
    """What the daemon is told. Paths are absolute: twistd changes its directory."""

    data_dir: Path
    listen: Annotated[Texts, Meta(min_length=1)] = (DEFAULT_ENDPOINT,)
    """Endpoint strings."""

    proxies: Annotated[Texts, Meta(min_length=1)] = ()
    """Addresses and networks of balancers that speak the PROXY protocol."""

    register: Registration | None = None
    """Who may register. None leaves it to `registration`."""

    certificate: Path | None = None
    key: Path | None = None
    acme: Annotated[Texts, Meta(min_length=1)] = ()
    """The names for which a certificate is got by ACME."""

    acme_url: Text = "https://acme-v02.api.letsencrypt.org/directory"
    metrics: Text | None = None
    """The endpoint string of the figures for Prometheus, which only this machine may reach."""

    log_format: Literal["text", "json"] = "text"
    """text, or json: one object a line."""

    log_file: Path | None = None
    """None leaves the log to the terminal, or to twistd."""

    language: Language = "en"
    """What a session reads before it says HELLO lang=..."""

    limits: Limits = attrs.Factory(Limits)
    file: Path | None = None
    """The file it was read from."""

    @property
    def registration(self) -> str:
        """Who may register: as told, else anyone on loopback and by invite beyond it."""
        return self.register or ("open" if all(map(loopback_only, self.listen)) else "invite")


def _without_none(kind: Any) -> Any:
    """Give the type of `X | None` without None: an optional key may be left out, but not set to nothing."""
    return get_args(kind)[0] if type(None) in get_args(kind) else kind


KEYS: dict[str, Any] = {
    field.name: _without_none(field.type)
    for field in (*attrs.fields(Config), *attrs.fields(Limits))
    if field.name not in ("limits", "file") and field.type is not int
}
"""Every key and its type, bounds included. Each limit that has bounds is a key of its own."""


@attrs.frozen
class Given:
    """One value as it was found: `name` is how its source calls the key, `base` where its relative paths begin.

    A value of the environment is `text`: a number in digits, a list in words.
    """

    value: Any
    name: str
    base: Path = attrs.field(factory=Path.cwd)
    text: bool = False

    def convert(self, key: str) -> Any:
        """Give the value as its key holds it. Raises OperatorError with the place, and what would fit."""
        value = self.value
        if isinstance(value, str) and isinstance(type_info(KEYS[key]), VarTupleType):
            value = value.split() if self.text else [value]
        try:
            return msgspec.convert(value, KEYS[key], strict=not self.text, dec_hook=self._path)
        except msgspec.ValidationError:
            raise self._mistake(key) from None

    def _path(self, kind: type, value: object) -> Path:
        if not isinstance(value, str) or not value or "\0" in value:
            raise ValueError
        try:
            return (self.base / Path(value).expanduser()).absolute()
        except RuntimeError:  # ~nobody: there is no such home
            raise ValueError from None

    def _mistake(self, key: str) -> OperatorError:
        kind, case, params = type_info(KEYS[key]), "kind.text", dict[str, object]()
        if isinstance(kind, IntType):
            case, params = "kind.number", {"least": kind.ge, "most": kind.le}
        elif isinstance(kind, LiteralType):
            case, params = "choice", {"choices": ", ".join(get_args(KEYS[key]))}
        elif isinstance(kind, VarTupleType):
            case = "kind.list"
        elif isinstance(kind, CustomType):
            case = "kind.path"
        return OperatorError(case, name=self.name, value=self.value, **params)


def load(options: Mapping[str, Any], environment: Mapping[str, str]) -> Config:
    """Gather the configuration; `options` holds those that were given. Raises OperatorError."""
    given = {key: Given(value, f"--{key.replace('_', '-')}") for key, value in options.items()}
    given = _environment(environment) | given
    file = None
    if named := given.pop("config", None):
        file = (named.base / str(named.value)).absolute()
        given = _file(file) | given
    values = {key: each.convert(key) for key, each in given.items()}
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


def _environment(environment: Mapping[str, str]) -> dict[str, Given]:
    found = {}
    for name, text in environment.items():
        if name.startswith(PREFIX) and name not in CLIENT_VARIABLES and text:
            key = name.removeprefix(PREFIX).lower()
            if key not in KEYS and key != "config":
                raise _unknown(name, [PREFIX + known.upper() for known in (*KEYS, "config")])
            found[key] = Given(text, name, text=True)
    return found


def _file(path: Path) -> dict[str, Given]:
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise OperatorError("unreadable", path=path, reason=error.strerror) from None
    except ValueError as error:  # TOMLDecodeError, UnicodeDecodeError
        raise OperatorError("not_toml", path=path, reason=error) from None
    for key in table:
        if key not in KEYS:
            raise _unknown(f"{path}: {key}", list(KEYS), key)
    return {key: Given(value, f"{path}: {key}", path.absolute().parent) for key, value in table.items()}


def _unknown(name: str, known: list[str], typed: str = "") -> OperatorError:
    near = get_close_matches(typed or name, known, n=1)
    case = "unknown_key.near" if near else "unknown_key"
    return OperatorError(case, name=name, suggestion="".join(near))
