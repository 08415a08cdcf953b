"""An archive to search: many messages, half in Chinese, half in one conversation; and what to look for in them."""

import random
from functools import partial
from itertools import accumulate, product
from pathlib import Path

from bench.load import RECEIVERS, SENDERS
from imd.run.directory import DataDirectory
from imd.store import accounts, conversations, messages, search, sqlite
from imd.store.transaction import Tx

MESSAGES = 100_000
"""What is searched."""

MANY = 1_000_000
"""What lies there while others send."""

BEGIN = 1_767_225_600_000
"""The first message's time: 2026-01-01. Then there is one a minute."""

GROUP = 500

WORDS = ["".join(syllables) for syllables in product(("ka", "lo", "mi", "ter", "un", "shi", "be", "za"), repeat=4)]
random.Random(0).shuffle(WORDS)
SIGNS = [chr(0x4E00 + number) for number in range(2500)]
COMMON = "hello"
"""In every message."""


def weights(count: int) -> list[float]:
    """Give how often each of so many words is used, summed up: few very often, most seldom."""
    return list(accumulate(1 / (rank + 10) for rank in range(count)))


_WEIGHTS = {"": weights(len(SIGNS)), " ": weights(len(WORDS))}


def text(chance: random.Random) -> str:
    """Make up a message."""
    between, said = chance.choice((("", SIGNS), (" ", WORDS)))
    words = chance.choices(said, cum_weights=_WEIGHTS[between], k=chance.randint(2, 24))
    return f"{COMMON} {between.join(words)}"


def fill(data: Path, count: int) -> None:
    """Put so many messages into a database that nobody uses, and index them."""
    chance = random.Random(1)
    connection = sqlite.connect(str(DataDirectory(data).database))
    pairs: list[tuple[int, int, str]] = []

    def begin(tx: Tx) -> None:
        for names in zip(SENDERS, RECEIVERS, strict=True):
            both = [account for name in names if (account := accounts.by_name(tx, name))]
            conversation = conversations.begin_direct(tx, both[0].id, both[1].id, BEGIN)
            pairs.extend((conversation, each.id, each.username) for each in both)

    def send(tx: Tx, first: int) -> None:
        for number in range(first, first + GROUP):
            conversation, account, name = chance.choice(pairs[:2] if number % 2 else pairs[2:])
            time = BEGIN + number * 60_000
            messages.append(tx, messages.Message(conversation, 0, 0, account, name, None, time, "text", text(chance)))

    sqlite.run_group(connection, [begin])
    for first in range(0, count, GROUP):
        sqlite.run_group(connection, [partial(send, first=first)])
    while sqlite.run_group(connection, [search.index])[0][0]:
        pass
    connection.close()


def queries() -> dict[str, list[str]]:
    """Give what to look for, by what is hard about it; each is something that was said."""
    chance = random.Random(2)
    said = [text(chance).removeprefix(f"{COMMON} ") for _ in range(400)]
    latin = [each.split(" ") for each in said if each.isascii()]
    chinese = [each for each in said if not each.isascii()]
    return {
        "a word": [each[0] for each in latin],
        "a word in every message": [COMMON],
        "two words": [f"{each[0]} {each[-1]}" for each in latin],
        "a phrase": [f'"{each[0]} {each[1]}"' for each in latin],
        "a beginning in every message": [f"{COMMON[:4]}*"],
        "a beginning": [f"{each[0][:4]}*" for each in latin],
        "one Chinese character": [each[0] for each in chinese],
        "two Chinese characters": [each[:2] for each in chinese],
        "by whom, before a day": [f"{each[0]} from:{RECEIVERS[0]} before:2026-02-01" for each in latin],
    }
