"""Where the client's state lies, and who may use it."""

import fcntl
import os
from pathlib import Path

from imd_client.state import Account


def default_state_file() -> Path:
    """Give the file that is used if none is named: $XDG_STATE_HOME/imd/client.sqlite3, or below ~/.local/state."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "imd" / "client.sqlite3"


def lock_account(account: Account) -> bool:
    """Claim an account's inbox for this process, until it ends. False if another process has it.

    Two would take turns: a message that one of them took in would never be shown by the other.
    """
    if account.state.path == ":memory:":
        return True
    lock = os.open(f"{account.state.path}.{account.id}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return False
    return True
