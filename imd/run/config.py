"""The configuration: every key from the TOML file, the environment (IMD_ and the key in capitals), or an option.

Options override the environment, which overrides the file. Each key is declared once, as a field of Config or Limits
with its type and bounds. An unknown key or a wrong value is an OperatorError that names the place.
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

from imd.chat.base.limits import Limits
from imd.run.endpoints import DEFAULT_ENDPOINT, is_network, loopback_only
from imd.run.errors import OperatorError
from imd.wire.fields import Language
from imd.wire.policies import Registration

PREFIX = "IMD_"
CLIENT_VARIABLES = {"IMD_SERVER", "IMD_PASSWORD"}
"""Variables of `imd chat` and `imd send`, which may be set where a daemon starts."""

Text = Annotated[str, Meta(min_length=1)]
Texts = tuple[Text, ...]


@attrs.frozen
class Config:
    """The configuration. Paths are absolute, since twistd changes its working directory."""

    data_dir: Path
    listen: Annotated[Texts, Meta(min_length=1)] = (DEFAULT_ENDPOINT,)
    """Endpoint strings."""

    proxies: Annotated[Texts, Meta(min_length=1)] = ()
    """Addresses and networks of load balancers that send the PROXY protocol."""

    register: Registration | None = None
    """Who may register. None leaves it to `registration`."""

    certificate: Path | None = None
    key: Path | None = None
    acme: Annotated[Texts, Meta(min_length=1)] = ()
    """The names to obtain a certificate for by ACME."""

    acme_url: Text = "https://acme-v02.api.letsencrypt.org/directory"
    metrics: Text | None = None
    """The endpoint string of the metrics for Prometheus, which only this machine may reach."""

    log_format: Literal["text", "json"] = "text"
    """text, or json: one object per line."""

    log_file: Path | None = None
    """None: the log goes to the terminal, or to twistd."""

    language: Language = "en"
    """The language of a session until it sends HELLO lang=..."""

    limits: Limits = attrs.Factory(Limits)
    file: Path | None = None
    """The file it was read from."""

    @property
    def registration(self) -> str:
        """Who may register: as configured, or else anyone on loopback, and with an invite beyond."""
        return self.register or ("open" if all(map(loopback_only, self.listen)) else "invite")


def _without_none(kind: Any) -> Any:
    """Give X of `X | None`: an optional key may be left out, but not be set to nothing."""
    return get_args(kind)[0] if type(None) in get_args(kind) else kind


KEYS: dict[str, Any] = {
    field.name: _without_none(field.type)
    for field in (*attrs.fields(Config), *attrs.fields(Limits))
    if field.name not in ("limits", "file") and field.type is not int
}
"""Every key with its type and bounds. A limit with bounds is a key."""


@attrs.frozen
class Given:
    """A value and where it was given: the key's name there, and the directory that relative paths start from.

    `text` is for the environment, where a number is digits and a list is words.
    """

    value: Any
    name: str
    base: Path = attrs.field(factory=Path.cwd)
    text: bool = False

    def convert(self, key: str) -> Any:
        """Convert the value to its key's type. Raises OperatorError, which names the place and what is allowed."""
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
        except RuntimeError:  # such as ~nobody, without a home directory
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
    """Put the configuration together; `options` are those that were given. Raises OperatorError."""
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
