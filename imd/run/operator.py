"""The operator: an admin without an account, at the command line or on the data directory's socket."""

from imd.chat.lanes import Me
from imd.engine.house import House
from imd.wire import catalog
from imd.wire.admin import Invite, InviteCreate, UserList, Users


def operator(house: House) -> Me:
    """Give whom the rules see when the operator asks."""
    return Me(now=house.now(), limits=house.limits, language=catalog.language_here(), admin=True)


async def first_invite(house: House) -> str:
    """Make an admin's invite where there is no account yet; else give nothing."""
    listed = await house.ask(UserList(limit=1), operator(house))
    assert isinstance(listed, Users)
    if listed.users:
        return ""
    made = await house.ask(InviteCreate(admin=True), operator(house))
    assert isinstance(made, Invite)
    return made.invite
