"""The open conversation as lines: dates, messages with their ticks, messages that wait, and the console's notes.

─────────────── Today ───────────────
06:25 ✓✓ ann  hi
06:26    bob  ┆ ann: hi
              hello                   (edited)
              👍 2
"""

from collections.abc import Hashable, Iterator
from datetime import datetime
from functools import cached_property

import attrs

from imd.wire.catalog import say
from imd.wire.messages import Message, Reaction
from imd.wire.terminal import harmless, lines
from imd_client.fullscreen.conversation import ConversationState, Note, Tick, mentions_user
from imd_client.fullscreen.model import Model
from imd_client.fullscreen.widths import Fragments, columns, pad, truncate, wrap, wrap_hanging
from imd_client.state import OutboxItem

NEW = "new"
"""The part of the line above the first new message."""

MAX_NAME_COLUMNS = 14
"""Columns that a name takes at most."""

_TICKS = {Tick.KEPT: "✓ ", Tick.DELIVERED: "✓✓", Tick.READ: "✓✓"}
_COLOURS = 6


@attrs.frozen
class Line:
    """One line and the part it belongs to: lines with the same `part` belong together."""

    fragments: Fragments
    part: Hashable


@attrs.frozen
class Timeline:
    """Draws a conversation at a width. `now` has the person's time zone."""

    model: Model
    conversation: ConversationState
    width: int
    now: datetime

    def lines(self) -> list[Line]:
        """Return all lines, oldest first."""
        return list(self._all())

    def _say(self, key: str, **params: object) -> str:
        return say(f"console.fullscreen.{key}", self.model.language, **params)

    def _all(self) -> Iterator[Line]:
        conversation = self.conversation
        notes = sorted(conversation.notes, key=lambda note: note.after)
        if conversation.opened and not conversation.more:
            key = "beginning" if conversation.messages else "nothing_said"
            yield self._centred(self._say(key, to=conversation.to), "start")
        elif conversation.fetching:
            yield self._centred(self._say("fetching"), "start")
        day = ""
        for seq, message in conversation.messages.items():
            while notes and notes[0].after < seq:
                yield from self._note(notes.pop(0))
            at = datetime.fromisoformat(message.time).astimezone(self.now.tzinfo)
            if f"{at:%F}" != day:
                day = f"{at:%F}"
                yield self._rule(self._day(at), "class:rule", ("day", day))
            if seq == conversation.new_from:
                yield self._rule(self._say("new"), "class:rule.new", NEW)
            yield from self._message(message, at)
        for note in notes:
            yield from self._note(note)
        for item in self.model.waiting:
            if item.to == conversation.to:
                yield from self._waiting(item)

    # Lines across.

    def _day(self, at: datetime) -> str:
        days = (self.now.date() - at.date()).days
        if days in (0, 1):
            return self._say("yesterday" if days else "today")
        month = self._say("months").split()[at.month - 1]
        weekday = self._say("weekdays").split()[at.weekday()]
        key = "day" if at.year == self.now.year else "day.year"
        return self._say(key, weekday=weekday, day=at.day, month=month, year=at.year)

    def _rule(self, text: str, style: str, part: Hashable) -> Line:
        room = max(0, self.width - columns(text) - 2)
        return Line([(style, f"{'─' * (room // 2)} {text} {'─' * (room - room // 2)}")], part)

    def _centred(self, text: str, part: Hashable) -> Line:
        text = truncate(text, self.width)
        return Line([("class:dim", " " * ((self.width - columns(text)) // 2) + text)], part)

    # Messages.

    @cached_property
    def _names(self) -> int:
        """How many columns the names take."""
        senders = {message.sender for message in self.conversation.messages.values() if message.notice is None}
        return min(MAX_NAME_COLUMNS, self.width // 4, max(map(columns, [*senders, self.model.me])))

    def _message(self, message: Message, at: datetime) -> Iterator[Line]:
        selected = " class:selected" if message.seq == self.conversation.selected else ""
        if message.notice is not None:
            text = harmless(message.said(self.model.language))
            body: list[Fragments] = [[("class:notice", piece)] for piece in wrap(text, self.width - 9)]
            head: Fragments = [("class:time", f"{at:%H:%M}"), ("", " " * 4)]
        else:
            body = self._body(message)
            head = [("class:time", f"{at:%H:%M} "), self._tick(message), ("", " "), self._name(message), ("", "  ")]
        yield from self._with_head(head, body, message.seq, selected)

    def _with_head(self, head: Fragments, body: list[Fragments], part: Hashable, selected: str = "") -> Iterator[Line]:
        """Put a head before the first line of a body, and indent the others by its width."""
        indent = sum(columns(text) for _, text in head)
        for number, pieces in enumerate(body):
            whole = [*(head if number == 0 else [("", " " * indent)]), *pieces]
            if selected:
                rest = self.width - sum(columns(text) for _, text in whole)
                whole = [(style + selected, text) for style, text in [*whole, ("", " " * rest)]]
            yield Line(whole, part)

    def _tick(self, message: Message) -> tuple[str, str]:
        if message.sender != self.model.me:
            return "", "  "
        tick = self.conversation.tick(message.seq)
        return f"class:tick.{tick.value}", _TICKS[tick]

    def _name(self, message: Message) -> tuple[str, str]:
        name = pad(harmless(message.sender), self._names)
        if message.sender == self.model.me:
            return "class:me", name
        return f"class:name{sum(map(ord, message.sender)) % _COLOURS}", name

    @cached_property
    def _room(self) -> int:
        return max(8, self.width - self._names - 11)

    def _body(self, message: Message) -> list[Fragments]:
        body = []
        if message.reply_to is not None:
            body.append([("class:quote", truncate(f"┆ {self.quote(message.reply_to)}", self._room))])
        if message.forwarded is not None:
            key = "forwarded" if message.forwarded else "forwarded.unnamed"
            body.append([("class:quote", truncate(self._say(key, sender=message.forwarded), self._room))])
        body += self._content(message)
        if labels := " · ".join(self._labels(message)):
            labels = self._say("labels", labels=labels)
            if sum(columns(text) for _, text in body[-1]) + columns(labels) < self._room:
                body[-1].append(("class:dim", f" {labels}"))
            else:
                body += [[("class:dim", piece)] for piece in wrap(labels, self._room)]
        if message.reactions:
            body.append(self._reactions(message.reactions))
        return body

    def _content(self, message: Message) -> list[Fragments]:
        language = self.model.language
        if message.recalled or message.burned:
            return [[("class:gone", message.said(language))]]
        content = message.content
        if message.kind in {"sticker", "location", "contact"}:
            content = say(f"line.message.{message.kind}", language, content=content)
        style = "class:mention" if message.sender != self.model.me and mentions_user(message, self.model.me) else ""
        return [[(style, piece)] for line in lines(content) for piece in wrap(line.expandtabs(4), self._room)]

    def _labels(self, message: Message) -> Iterator[str]:
        if message.edited and not message.recalled:
            yield self._say("edited")
        if message.pinned:
            yield self._say("pinned")
        if message.burn_after and not message.burned:
            yield self._say("burns", seconds=message.burn_after)

    def _reactions(self, reactions: list[Reaction]) -> Fragments:
        fragments: Fragments = []
        for each in reactions:
            style = "class:reaction.mine" if self.model.me in each.users else "class:reaction"
            fragments += [(style, f"{harmless(each.emoji)} {each.count}"), ("", "  ")]
        return fragments

    def quote(self, seq: int) -> str:
        """Return the first line of a message, with its sender."""
        quoted = self.conversation.messages.get(seq)
        if quoted is None:
            return self._say("quote", seq=seq)
        first = next(iter(lines(quoted.content or quoted.said(self.model.language))))
        return f"{harmless(quoted.sender)}: {first}"

    # Everything that is not a message.

    def _waiting(self, item: OutboxItem) -> Iterator[Line]:
        body: list[Fragments] = []
        if item.message.reply_to is not None:
            body.append([("class:quote", truncate(f"┆ {self.quote(item.message.reply_to)}", self._room))])
        body += [[("class:waiting", piece)] for line in lines(item.content) for piece in wrap(line, self._room)]
        head: Fragments = [("", " " * 6), ("class:waiting", "… "), ("", " ")]
        head += [("class:me", pad(self.model.me, self._names)), ("", "  ")]
        yield from self._with_head(head, body, ("waiting", item.number))

    def _note(self, note: Note) -> Iterator[Line]:
        mark = "· "
        said = [("class:echo", line) for line in lines(note.command) if line]
        for style, line in [*said, *((f"class:note {note.kind}", line) for line in lines(note.text))]:
            for piece in wrap_hanging(line.expandtabs(4), self.width - 2):
                yield Line([("class:note.mark", mark), (style, piece)], note)
                mark = "  "
