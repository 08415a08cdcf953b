"""The rules of export: one archive of everything that is mine, made in small pieces and fetched in parts.

What I may see goes in as it is now. A message that burns after reading goes in without its words: an archive would
outlive them. Passwords, tokens, second factors, and what is other people's stay out.
"""

import base64
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import attrs
import msgspec

import imd
from imd.chat.base import account_log
from imd.chat.base.access import by_number
from imd.chat.base.context import Caller, Services
from imd.chat.base.effects import Outcome, Schedule
from imd.chat.base.export_store import StoredExport
from imd.chat.base.handlers import slow
from imd.chat.base.render import rendered
from imd.chat.export.zip import ZipWriter
from imd.store import export as sql
from imd.store import members, messages
from imd.store.transaction import Tx
from imd.wire import archive_page
from imd.wire import export as wire
from imd.wire.archive_page import ConversationPages
from imd.wire.catalog import say
from imd.wire.fields import timestamp
from imd.wire.messages import Message
from imd.wire.refusals import BadRequest, Refusal, Unavailable

T = TypeVar("T")
Record = dict[str, Any]

ROWS_AT_ONCE = 500
MESSAGES_AT_ONCE = 100
"""How many are read at a time, so that no reader is held for long."""

MESSAGES_PER_PAGE = 500
CHARACTERS_PER_PAGE = 300_000
"""A page is full at whichever comes first."""


@slow(wire.Export)
async def export(services: Services, caller: Caller, command: wire.Export) -> Outcome[wire.Exported]:
    """Make my archive. What is written later than it was read is not in it."""
    archive = services.exports.begin(caller.account, caller.now)
    try:
        archive.file = await services.aside(services.exports.scratch)
        making = _Making(services, caller, archive, ZipWriter(archive.file, caller.now))
        await making.fill()
        archive.sha256, archive.bytes = await making.aside(making.zip_writer.finish), making.zip_writer.bytes
    except BaseException:
        if not archive.gone:
            services.exports.drop(caller.account)
        raise
    reply = wire.Exported(
        parts=_parts(archive),
        bytes=archive.bytes,
        sha256=archive.sha256,
        time=timestamp(archive.began),
        expires=timestamp(archive.expires),
    )
    return Outcome(reply, effects=(Schedule(archive.expires),))


@slow(wire.ExportPart)
async def export_part(services: Services, caller: Caller, command: wire.ExportPart) -> Outcome[wire.Part]:
    """Give one part of my archive."""
    archive = services.exports.ready(caller.account, caller.now)
    if command.part > _parts(archive):
        raise BadRequest("no_part", parts=_parts(archive))
    part = wire.Part(
        part=command.part,
        parts=_parts(archive),
        bytes=archive.bytes,
        sha256=archive.sha256,
        time=timestamp(archive.began),
        data=await services.aside(lambda: _read(archive, command.part)),
    )
    return Outcome(part)


def _parts(archive: StoredExport) -> int:
    return -(-archive.bytes // wire.PART_BYTES)


def _read(archive: StoredExport, part: int) -> str:
    assert archive.file is not None
    archive.file.seek((part - 1) * wire.PART_BYTES)
    return base64.b64encode(archive.file.read(wire.PART_BYTES)).decode()


def _dumped(data: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(data), indent=1)


@attrs.frozen
class _Making:
    """One archive on its way: read in small pieces by the readers, written aside."""

    services: Services
    caller: Caller
    archive: StoredExport
    zip_writer: ZipWriter

    async def aside(self, work: Callable[[], T]) -> T:
        """Work on the archive, as long as it is wanted."""
        if self.archive.gone:
            raise Unavailable
        return await self.services.aside(work)

    async def fill(self) -> None:
        """Write everything into the archive."""
        account = self.caller.account
        lists = {
            each.name: await self._gathered(_section(each, account), partial(_readable, each.kinds))
            for each in sql.SECTIONS
        }
        lists["changes"] = await self._gathered(
            lambda tx, found: account_log.changes(tx, account, found[-1].n if found else 0, ROWS_AT_ONCE),
            msgspec.to_builtins,
        )
        numbers = await self.services.read(lambda tx: sql.conversations(tx, account))
        volumes = [volume for number in numbers if (volume := await self._conversation(number))]
        await self.aside(lambda: self._finish(lists, volumes))

    async def _gathered(self, read: Callable[[Tx, list[T]], list[T]], readable: Callable[[T], Record]) -> list[Record]:
        """Read a list in pieces, each of which goes on after what was found so far."""
        found: list[T] = []
        while True:
            piece = await self.services.read(lambda tx: read(tx, found))
            found.extend(piece)
            if len(piece) < ROWS_AT_ONCE:
                return [readable(each) for each in found]

    def _finish(self, lists: dict[str, list[Record]], volumes: list[ConversationPages]) -> None:
        made = timestamp(self.caller.now)
        contents = [
            {"conversation": each.number, "to": each.record["to"], "file": f"conversations/{each.number}.json"}
            for each in volumes
        ]
        (account,) = lists["account"]
        head = {"format": "imd-export/1", "server": f"imd {imd.__version__}", "made": made}
        self.zip_writer.add("data.json", _dumped(head | lists | {"account": account, "conversations": contents}))
        shown = [each.name for each in sql.SECTIONS if each.shown]
        self.zip_writer.add("index.html", archive_page.index(lists, shown, volumes, made, self.caller.language))

    async def _conversation(self, number: int) -> ConversationPages | None:
        """Write one conversation: its pages, the same in lines for programs, and what is known of it."""
        volume = await self.services.read(lambda tx: _volume(tx, self.caller, number))
        if volume is None:
            return None
        volume.members = await self._gathered(_members(self.caller, volume), partial(_readable, sql.MEMBER))
        page: list[Message] = []
        after = size = 0
        while found := await self.services.read(_following(self.caller, volume, after)):
            for message in found:
                if len(page) == MESSAGES_PER_PAGE or size > CHARACTERS_PER_PAGE:
                    await self._bind(volume, page, more=True)
                    page, size = [], 0
                page.append(message)
                size += len(message.content)
            after = found[-1].seq
        await self._bind(volume, page, more=False)
        known = volume.record | {
            "members": volume.members,
            "messages": volume.messages,
            "files": [volume.name(page, "jsonl") for page in range(1, len(volume.starts) + 1)],
        }
        await self.aside(lambda: self.zip_writer.add(f"conversations/{number}.json", _dumped(known)))
        return volume

    async def _bind(self, volume: ConversationPages, page: list[Message], *, more: bool) -> None:
        """Write one page of a conversation."""
        volume.starts.append(page[0].seq if page else 1)
        volume.messages += len(page)
        volume.last = page[-1].time if page else volume.last

        def write() -> None:
            number = len(volume.starts)
            page_html = archive_page.conversation(volume, page, self.caller.username, self.caller.language, more=more)
            self.zip_writer.add(f"conversations/{volume.name(number)}", page_html)
            lines = b"".join(msgspec.json.encode(each) + b"\n" for each in page)
            self.zip_writer.add(f"conversations/{volume.name(number, 'jsonl')}", lines)

        await self.aside(write)


def _section(section: sql.Section, account: int) -> Callable[[Tx, list[Record]], list[Record]]:
    return lambda tx, found: sql.records(tx, section, account, len(found), ROWS_AT_ONCE)


def _members(caller: Caller, volume: ConversationPages) -> Callable[[Tx, list[Record]], list[Record]]:
    """List who is in a conversation: a group's members by name, page by page, or the two of it."""
    if volume.record["kind"] == "direct":
        both = [{"username": name} for name in dict.fromkeys((caller.username, volume.record["to"]))]
        return lambda tx, found: [] if found else both

    def read(tx: Tx, found: list[Record]) -> list[Record]:
        rows = members.page(tx, volume.number, caller.account, found[-1]["username"] if found else "", ROWS_AT_ONCE)
        return [{name: getattr(row, name) for name in sql.MEMBER} for row in rows]

    return read


def _readable(kinds: Mapping[str, str], record: Record) -> Record:
    """Give a record with its times and flags as the wire writes them."""
    return {name: _WRITTEN[kinds[name]](value) for name, value in record.items()}


_WRITTEN: dict[str, Callable[[Any], Any]] = {
    "time": lambda value: timestamp(value) if value else None,
    "flag": bool,
    "": lambda value: value,
}
"""A column's kind -> how its values are written."""


def _volume(tx: Tx, caller: Caller, number: int) -> ConversationPages | None:
    """Begin a conversation; None, for who has left it meanwhile."""
    try:
        conversation = by_number(tx, caller, number)
    except Refusal:
        return None
    row = conversation.row
    known = {"conversation": number, "to": conversation.to, "title": row.title or conversation.to}
    known |= {name: getattr(row, name) for name in sql.CONVERSATION if name not in known}
    return ConversationPages(number, _readable(sql.CONVERSATION, known))


def _following(caller: Caller, volume: ConversationPages, after: int) -> Callable[[Tx], list[Message]]:
    """Read the next messages up to where the conversation was begun, as I may see them now."""

    def read(tx: Tx) -> list[Message]:
        try:
            conversation = by_number(tx, caller, volume.number)
        except Refusal:
            return []
        rows = messages.following(tx, conversation.seen, after, volume.record["last_seq"] + 1, MESSAGES_AT_ONCE)
        return [_kept(message, caller.language) for message in rendered(tx, rows, caller.account, conversation.to)]

    return read


def _kept(message: Message, language: str) -> Message:
    """Leave out the words of what burns after reading."""
    if message.burn_after is None or message.burned or message.recalled:
        return message
    return msgspec.structs.replace(message, content=say("archive.burning", language))
