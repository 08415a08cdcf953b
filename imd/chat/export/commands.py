"""The rules of export: one archive of everything that is mine, made in small pieces and fetched in parts.

It contains what I may see, as it is now. A message that burns after reading is there without its text, which the
archive would outlive. Passwords, tokens, second factors and other people's data are left out.
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
"""How many are read at a time, so that no reader is busy for long."""

MESSAGES_PER_PAGE = 500
CHARACTERS_PER_PAGE = 300_000
"""A page is full at whichever comes first."""


@slow(wire.Export)
async def export(services: Services, caller: Caller, command: wire.Export) -> Outcome[wire.Exported]:
    """Make my archive. It does not have what is written after it was read."""
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
    """Return one part of my archive."""
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
    """One archive in the making: read in small pieces by the readers, written in a thread of its own."""

    services: Services
    caller: Caller
    archive: StoredExport
    zip_writer: ZipWriter

    async def aside(self, work: Callable[[], T]) -> T:
        """Work on the archive while it is still wanted."""
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
        conversations = [pages for number in numbers if (pages := await self._conversation(number))]
        await self.aside(lambda: self._finish(lists, conversations))

    async def _gathered(self, read: Callable[[Tx, list[T]], list[T]], readable: Callable[[T], Record]) -> list[Record]:
        """Read a list in pieces; each continues after what was found so far."""
        found: list[T] = []
        while True:
            piece = await self.services.read(lambda tx: read(tx, found))
            found.extend(piece)
            if len(piece) < ROWS_AT_ONCE:
                return [readable(each) for each in found]

    def _finish(self, lists: dict[str, list[Record]], conversations: list[ConversationPages]) -> None:
        made = timestamp(self.caller.now)
        contents = [
            {"conversation": each.number, "to": each.record["to"], "file": f"conversations/{each.number}.json"}
            for each in conversations
        ]
        (account,) = lists["account"]
        head = {"format": "imd-export/1", "server": f"imd {imd.__version__}", "made": made}
        self.zip_writer.add("data.json", _dumped(head | lists | {"account": account, "conversations": contents}))
        shown = [each.name for each in sql.SECTIONS if each.shown]
        self.zip_writer.add("index.html", archive_page.index(lists, shown, conversations, made, self.caller.language))

    async def _conversation(self, number: int) -> ConversationPages | None:
        """Write one conversation: its pages, the same as JSON lines for programs, and its record."""
        pages = await self.services.read(lambda tx: _pages(tx, self.caller, number))
        if pages is None:
            return None
        pages.members = await self._gathered(_members(self.caller, pages), partial(_readable, sql.MEMBER))
        page: list[Message] = []
        after = size = 0
        while found := await self.services.read(_following(self.caller, pages, after)):
            for message in found:
                if len(page) == MESSAGES_PER_PAGE or size > CHARACTERS_PER_PAGE:
                    await self._bind(pages, page, more=True)
                    page, size = [], 0
                page.append(message)
                size += len(message.content)
            after = found[-1].seq
        await self._bind(pages, page, more=False)
        known = pages.record | {
            "members": pages.members,
            "messages": pages.messages,
            "files": [pages.name(page, "jsonl") for page in range(1, len(pages.starts) + 1)],
        }
        await self.aside(lambda: self.zip_writer.add(f"conversations/{number}.json", _dumped(known)))
        return pages

    async def _bind(self, pages: ConversationPages, page: list[Message], *, more: bool) -> None:
        """Write one page of a conversation."""
        pages.starts.append(page[0].seq if page else 1)
        pages.messages += len(page)
        pages.last = page[-1].time if page else pages.last

        def write() -> None:
            number = len(pages.starts)
            page_html = archive_page.conversation(pages, page, self.caller.username, self.caller.language, more=more)
            self.zip_writer.add(f"conversations/{pages.name(number)}", page_html)
            lines = b"".join(msgspec.json.encode(each) + b"\n" for each in page)
            self.zip_writer.add(f"conversations/{pages.name(number, 'jsonl')}", lines)

        await self.aside(write)


def _section(section: sql.Section, account: int) -> Callable[[Tx, list[Record]], list[Record]]:
    return lambda tx, found: sql.records(tx, section, account, len(found), ROWS_AT_ONCE)


def _members(caller: Caller, pages: ConversationPages) -> Callable[[Tx, list[Record]], list[Record]]:
    """List the members of a conversation: those of a group by name, page by page, or the two people."""
    if pages.record["kind"] == "direct":
        both = [{"username": name} for name in dict.fromkeys((caller.username, pages.record["to"]))]
        return lambda tx, found: [] if found else both

    def read(tx: Tx, found: list[Record]) -> list[Record]:
        rows = members.page(tx, pages.number, caller.account, found[-1]["username"] if found else "", ROWS_AT_ONCE)
        return [{name: getattr(row, name) for name in sql.MEMBER} for row in rows]

    return read


def _readable(kinds: Mapping[str, str], record: Record) -> Record:
    """Return a record with its times and flags as the wire writes them."""
    return {name: _WRITTEN[kinds[name]](value) for name, value in record.items()}


_WRITTEN: dict[str, Callable[[Any], Any]] = {
    "time": lambda value: timestamp(value) if value else None,
    "flag": bool,
    "": lambda value: value,
}
"""The kind of a field -> how its values are written."""


def _pages(tx: Tx, caller: Caller, number: int) -> ConversationPages | None:
    """Begin the pages of a conversation; None if I have left it in the meantime."""
    try:
        conversation = by_number(tx, caller, number)
    except Refusal:
        return None
    row = conversation.row
    known = {"conversation": number, "to": conversation.to, "title": row.title or conversation.to}
    known |= {name: getattr(row, name) for name in sql.CONVERSATION if name not in known}
    return ConversationPages(number, _readable(sql.CONVERSATION, known))


def _following(caller: Caller, pages: ConversationPages, after: int) -> Callable[[Tx], list[Message]]:
    """Read the next messages, up to the last one when its pages were begun, as I may see them now."""

    def read(tx: Tx) -> list[Message]:
        try:
            conversation = by_number(tx, caller, pages.number)
        except Refusal:
            return []
        rows = messages.following(tx, conversation.seen, after, pages.record["last_seq"] + 1, MESSAGES_AT_ONCE)
        return [_kept(message, caller.language) for message in rendered(tx, rows, caller.account, conversation.to)]

    return read


def _kept(message: Message, language: str) -> Message:
    """Leave out the text of a message that burns after reading."""
    if message.burn_after is None or message.burned or message.recalled:
        return message
    return msgspec.structs.replace(message, content=say("archive.burning", language))
