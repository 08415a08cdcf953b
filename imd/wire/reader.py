"""From lines to requests: the dialect is chosen line by line, and POST gathers many lines into one message."""

from typing import Any

import attrs

from imd.wire import jsonline, textline
from imd.wire.base import Request
from imd.wire.messages import POST
from imd.wire.refusals import LineTooLong, Refusal, TooLarge


@attrs.define
class _Post:
    """A message that is being typed over several lines. A fault is kept until the dot: the lines are no commands."""

    request: Request
    fields: dict[str, Any]
    lines: list[str] = attrs.Factory(list)
    size: int = -1
    """How many bytes the lines make together, with a line end between two of them."""


@attrs.define
class LineReader:
    """One connection's ear. `content_limit` bounds what POST gathers, in bytes."""

    content_limit: int
    _post: _Post | None = None

    def feed(self, line: bytes) -> Request | None:
        """Take one line, without its end. Gives a request, or None where there is nothing to answer yet."""
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
        """Answer a line that passed the limit, by its first bytes; the rest was skipped."""
        refusal = LineTooLong(limit=limit)
        if self._post is not None:
            self._post.request.refusal = refusal
            return None
        dialect = jsonline.DIALECT if start.startswith(b"{") else textline.DIALECT
        return Request(dialect=dialect, refusal=refusal)

    def _gather(self, post: _Post, line: bytes) -> Request | None:
        """Take one more line of a POST. A dot that is not alone was doubled by the sender."""
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
