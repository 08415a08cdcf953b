"""The pages of an archive: an export as a person reads it, in HTML that needs no script, no network and no other file.

What people wrote is not trusted: it is escaped, its control and bidi characters are made visible, and it never stands
in an attribute. The files for programs have it unchanged.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from itertools import groupby
from typing import Any

import attrs
import msgspec

from imd.wire import terminal
from imd.wire.catalog import say
from imd.wire.fields import clock_face
from imd.wire.messages import Message

NAMED = 200
"""How many members a page names; the rest are only counted."""

_HEAD = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
"""


@attrs.define
class ConversationPages:
    """One conversation in the archive: its record, and where its pages begin."""

    number: int
    record: dict[str, Any]
    """What programs are told of it."""

    members: list[dict[str, Any]] = attrs.field(factory=list)
    starts: list[int] = attrs.field(factory=list)
    """The first seq on each page."""

    messages: int = 0
    last: str = ""
    """When the last message was sent."""

    def name(self, page: int, kind: str = "html") -> str:
        """Return the file name of a page, counted from 1."""
        return f"{self.number}.{kind}" if page == 1 else f"{self.number}-{page}.{kind}"

    def page_of(self, seq: int) -> str:
        """Return the link to a message from another page; empty if it is not in the archive."""
        page = sum(start <= seq for start in self.starts)
        return f"{self.name(page)}#m{seq}" if page else ""


def escaped(text: str) -> str:
    """Escape somebody's text, which may have several lines, for HTML."""
    return escape("\n".join(terminal.lines(text)))


@cache
def _style() -> str:
    return (files("imd.wire") / "archive_page.css").read_text("utf-8")


def _page(title: str, body: Iterable[str], language: str) -> str:
    """Write a whole page; the title is somebody's text."""
    code = "zh-Hans" if language == "zh" else language
    head = _HEAD.format(language=code, title=escaped(title), style=_style())
    return "\n".join([head, *body, "</body>", "</html>", ""])


def _link(to: str, text: str) -> str:
    """Write a link. Its target consists of our own names and numbers."""
    return f'<a href="{to}">{escaped(text)}</a>'


def _table(name: str, columns: Sequence[str], rows: Sequence[Sequence[str]], language: str) -> list[str]:
    """Write a heading and a table whose cells are HTML; nothing if there are no rows."""
    if not rows:
        return []
    head = "".join(f"<th>{say(f'archive.column.{column}', language)}</th>" for column in columns)
    body = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return [f"<h2>{say(f'archive.{name}', language)}</h2>", "<table>", f"<tr>{head}</tr>", *body, "</table>"]


def index(
    lists: dict[str, list[dict[str, Any]]],
    shown: Sequence[str],
    conversations: list[ConversationPages],
    made: str,
    language: str,
) -> str:
    """Write the first page: the account, those of its lists that are shown, and the way to each conversation."""
    (account,) = lists["account"]
    title = say("archive.title", language, username=account["username"])
    body = [
        f"<h1>{escaped(title)}</h1>",
        f'<p class="soft">{escaped(say("archive.made", language, time=clock_face(made)))}</p>',
    ]
    body += [f"<h2>{say('archive.account', language)}</h2>", "<table>"]
    for column, value in account.items():
        body.append(f"<tr><th>{say(f'archive.column.{column}', language)}</th><td>{_cell(value, language)}</td></tr>")
    body.append("</table>")
    for name in shown:
        rows = [[_cell(value, language) for value in record.values()] for record in lists[name]]
        body += _table(name, list(lists[name][0]) if rows else [], rows, language)
    latest = sorted(conversations, key=lambda each: each.last, reverse=True)
    rows = [_row(each, account["username"], language) for each in latest]
    body += _table("conversations", ("conversation", "kind", "messages", "last"), rows, language)
    body += _table(
        "starred", ("conversation", "message", "time"), _starred(lists["starred"], conversations, language), language
    )
    return _page(title, body, language)


def _row(pages: ConversationPages, username: str, language: str) -> list[str]:
    kind = "notes" if pages.record["to"] == username else pages.record["kind"]
    link = _link(f"conversations/{pages.name(1)}", pages.record["title"])
    last = clock_face(pages.last) if pages.last else ""
    return [link, say(f"archive.kind.{kind}", language), str(pages.messages), last]


def _cell(value: object, language: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return say("archive.yes" if value else "archive.no", language)
    text = str(value)
    return escaped(clock_face(text) if text[10:11] == "T" and text.endswith("Z") else text)


def _starred(stars: list[dict[str, Any]], conversations: list[ConversationPages], language: str) -> list[list[str]]:
    known = {each.number: each for each in conversations}
    rows = []
    for star in stars:
        pages = known.get(star["conversation"])
        if pages is not None and (page := pages.page_of(star["seq"])):
            link = _link(f"conversations/{page}", str(star["seq"]))
            rows.append([escaped(pages.record["title"]), link, _cell(star["time"], language)])
    return rows


def conversation(pages: ConversationPages, messages: list[Message], username: str, language: str, *, more: bool) -> str:
    """Write the page of a conversation that was begun last; `more` says whether others follow."""
    page, title = len(pages.starts), pages.record["title"]
    ways = [_link("../index.html", say("archive.all", language))]
    if page > 1:
        ways.append(_link(pages.name(page - 1), say("archive.earlier", language)))
    if more:
        ways.append(_link(pages.name(page + 1), say("archive.later", language)))
    nav = f"<nav>{' '.join(ways)}</nav>"
    body = [nav, f"<h1>{escaped(title)}</h1>"]
    if page == 1 and pages.record["kind"] == "group":
        body.append(f'<p class="soft">{escaped(_members(pages, language))}</p>')
    for day, of_day in groupby(messages, key=lambda each: each.time[:10]):
        body.append(f"<h2>{day}</h2>")
        body += [_message(each, pages, username, language) for each in of_day]
    if not messages:
        body.append(f'<p class="soft">{say("archive.empty", language)}</p>')
    return _page(title, [*body, nav], language)


def _members(pages: ConversationPages, language: str) -> str:
    named = ", ".join(each["username"] for each in pages.members[:NAMED])
    others = len(pages.members) - NAMED
    return say("archive.members.more" if others > 0 else "archive.members", language, names=named, count=others)


def _message(message: Message, pages: ConversationPages, username: str, language: str) -> str:
    """Write one message: sender and time, what it replies to, its text, and what became of it."""
    kind = "notice" if message.notice else "mine" if message.sender == username else "other"
    above = [] if message.notice else [f"<b>{escaped(message.sender)}</b>"]
    above.append(f"<time>{message.time[11:16]}</time>")
    if message.edited and not message.recalled:
        above.append(f'<span class="soft">{escaped(say("line.message.edited", language).strip())}</span>')
    if message.reply_to is not None:
        answers = say("archive.answers", language, seq=message.reply_to)
        to = pages.page_of(message.reply_to)
        above.append(_link(to, answers) if to else f'<span class="soft">{escaped(answers)}</span>')
    said = msgspec.structs.replace(message, reply_to=None).said(language)
    below = "".join(
        f'<p class="soft">{escaped(each.emoji)} {escaped(", ".join(each.users))}'
        f"{f' +{each.count - len(each.users)}' if each.count > len(each.users) else ''}</p>"
        for each in message.reactions
    )
    return (
        f'<article class="{kind}" id="m{message.seq}"><div>{" ".join(above)}</div>'
        f'<p dir="auto">{escaped(said)}</p>{below}</article>'
    )
