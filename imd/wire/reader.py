"""From lines to requests: POST gathers several lines into one message.

The dialect is that of the line, not of the connection: a person may paste a line of JSON, a program may ask for HELP.
"""

from typing import Any

import attrs

from imd.wire import jsonline, textline
from imd.wire.base import Request
from imd.wire.messages import POST
from imd.wire.refusals import LineTooLong, Refusal, TooLarge


@attrs.define
class _Post:
    """A message that is typed over several lines. A refusal waits for the dot: until then no line is a command."""

    request: Request
    fields: dict[str, Any]
    lines: list[str] = attrs.Factory(list)
    size: int = -1
    """How many bytes the content has, with a line end between two lines."""


@attrs.define
class LineReader:
    """Reads the lines of one connection. `content_limit` bounds what POST gathers, in bytes."""

    content_limit: int
    _post: _Post | None = None

    def feed(self, line: bytes) -> Request | None:
        """Take one line, without its end. Gives a request, or None if there is nothing to answer yet."""
        if self._post is not None:
            return self._gather(self._post, line)
        if line.startswith(b"{"):
            return jsonline.decode(line)
        taken = textline.take_apart(line)
        if taken is None:
            return None
        if taken[0].spec is not POST:
            return textline.complete(*taken)
        self._post = _Post(*taken)
        return Request(dialect=textline.DIALECT, notice="post.begin")

    def too_long(self, start: bytes, limit: int) -> Request | None:
        """Refuse a line that was too long, in the dialect of its first bytes. The rest was skipped."""
        refusal = LineTooLong(limit=limit)
        if self._post is not None:
            self._post.request.refusal = refusal
            return None
        dialect = jsonline.DIALECT if start.startswith(b"{") else textline.DIALECT
        return Request(dialect=dialect, refusal=refusal)

    def _gather(self, post: _Post, line: bytes) -> Request | None:
        """Take one more line of a POST. A dot that begins a longer line was doubled by the sender."""
        try:
            text = textline.clean(line).rstrip("\r")
            if text == ".":
                self._post = None
                post.fields["content"] = "\n".join(post.lines)
                return textline.complete(post.request, post.fields)
            text = text.removeprefix(".")
            post.size += len(text.encode()) + 1
            if post.size > self.content_limit:
                post.lines.clear()
                raise TooLarge(limit=self.content_limit)
            post.lines.append(text)
        except Refusal as refusal:
            post.request.refusal = post.request.refusal or refusal
        return None
