"""Accounts: a name, a password, and the devices that are logged in.

-> REGISTER alice correct horse battery              <- OK REGISTER username=alice
-> LOGIN alice device=laptop correct horse battery   <- OK LOGIN username=alice device=laptop token=…
-> RESUME token                                      <- OK RESUME username=alice device=laptop
-> DEVICES                                           <- - laptop, seen 2026-11-23 06:25Z, this one
                                                     <- OK DEVICES
"""

from imd.wire import catalog
from imd.wire.base import Command, Item, Reply, Right, command
from imd.wire.fields import Code, Label, Name, Password, Token, clock_face
from imd.wire.refusals import (
    BadName,
    BadRequest,
    Conflict,
    Forbidden,
    InvalidCredentials,
    InviteInvalid,
    InviteRequired,
    NameTaken,
    RateLimited,
    Unavailable,
    WeakPassword,
)


class Registered(Reply, frozen=True, kw_only=True):
    """The name as it is stored."""

    username: str


@command("register", "REGISTER username password...", right=Right.ANYONE)
class Register(Command, frozen=True, kw_only=True):
    """Make an account. Registering does not log in."""

    username: Name
    password: Password
    display_name: Label = ""
    invite: Token = ""
    grows = True
    reply = Registered
    refusals = (BadName, NameTaken, WeakPassword, InviteRequired, InviteInvalid, Forbidden, RateLimited, Unavailable)
    example = "REGISTER alice correct horse battery"


class LoggedIn(Reply, frozen=True, kw_only=True):
    """Keep `token`: `resume` takes it instead of the password."""

    username: str
    device: str
    token: str


@command("login", "LOGIN username password...", right=Right.ANYONE)
class Login(Command, frozen=True, kw_only=True):
    """Log in on this connection, as a new device."""

    username: Name
    password: Password
    device: Label = ""
    replay: bool = True
    code: Code = ""
    reply = LoggedIn
    enters = True
    refusals = (InvalidCredentials, RateLimited, Conflict, Unavailable)
    example = "LOGIN alice device=laptop correct horse battery"


class Resumed(Reply, frozen=True, kw_only=True):
    """The account and the device that this connection now speaks for."""

    username: str
    device: str


@command("resume", "RESUME token", right=Right.ANYONE)
class Resume(Command, frozen=True, kw_only=True):
    """Log in again as a known device, by its token. A token can be revoked, which a stored password could not."""

    token: Token
    replay: bool = True
    reply = Resumed
    enters = True
    refusals = (InvalidCredentials, RateLimited, Conflict)
    example = "RESUME replay=false 0123456789abcdef"


@command("logout", "LOGOUT")
class Logout(Command, frozen=True, kw_only=True):
    """Forget this device: its token stops working. The connection stays."""

    example = "LOGOUT"


@command("change_password", "PASSWORD old new...")
class ChangePassword(Command, frozen=True, kw_only=True):
    """Change the password. Every other device is logged out."""

    old: Password
    new: Password
    code: Code = ""
    refusals = (InvalidCredentials, WeakPassword, RateLimited, Unavailable)
    example = 'PASSWORD "correct horse battery" a wholly new secret'


class Device(Item, frozen=True, kw_only=True):
    """One logged-in device. `current` marks the one of this connection."""

    device: str
    created: str
    last_seen: str
    current: bool

    def text(self, language: str) -> str:
        """Write the device's line in DEVICES."""
        key = "line.device.current" if self.current else "line.device.other"
        return catalog.say(key, language, device=self.device, seen=clock_face(self.last_seen))


class Devices(Reply, frozen=True, kw_only=True):
    """The devices, the most recently seen first."""

    devices: list[Device]


@command("devices", "DEVICES")
class ListDevices(Command, frozen=True, kw_only=True):
    """List the devices that are logged in as you."""

    reply = Devices
    example = "DEVICES"


@command("revoke_device", "REVOKE device...")
class RevokeDevice(Command, frozen=True, kw_only=True):
    """Log another device out: its token stops working, and its connection is closed."""

    device: Label
    refusals = (BadRequest,)
    example = "REVOKE laptop"


class Identity(Reply, frozen=True, kw_only=True):
    """The account and the device that this connection speaks for."""

    username: str
    display_name: str
    device: str


@command("whoami", "WHOAMI")
class WhoAmI(Command, frozen=True, kw_only=True):
    """Tell who this connection is logged in as."""

    reply = Identity
    example = "WHOAMI"
