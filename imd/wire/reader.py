"""From lines to requests: the dialect is chosen line by line, and POST gathers many lines into one message."""

import re

import attrs

from imd.wire import jsonline, shapes, textline
from imd.wire.base import Request, registry
from imd.wire.messages import SendMessage
from imd.wire.refusals import BadRequest, LineTooLong, Refusal, TooLarge

_POST = re.compile(rb"(?:@\S+\s+)?/?post(?:\s|$)", re.IGNORECASE)


@attrs.define
class _Post:
    """A message that is being typed over several lines."""

    request: Request
    lines: list[str] = attrs.Factory(list)
    size: int = 0


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
        if _POST.match(line.lstrip()):
            return self._begin(line)
        return textline.decode(line)

    def too_long(self, start: bytes, limit: int) -> Request | None:
        """Answer a line that passed the limit, by its first bytes; the rest was skipped."""
        refusal = LineTooLong(limit=limit)
        if self._post is not None:
            self._post.request.refusal = refusal
            return None
        dialect = jsonline.DIALECT if start.startswith(b"{") else textline.DIALECT
        return Request(dialect=dialect, refusal=refusal)

    def _begin(self, line: bytes) -> Request:
        """Open a POST: the same words as SEND, with the content still to come."""
        placeholder = re.sub(rb"post", b"SEND", line, count=1, flags=re.IGNORECASE) + b" ."
        request = textline.decode(placeholder)
        assert request is not None
        request.name = "POST"
        if isinstance(request.command, SendMessage) and request.command.content != ".":
            request.refusal = BadRequest("words", usage="POST to [reply_to=…] [client_id=…]")
        self._post = _Post(request)
        return Request(dialect=textline.DIALECT, notice="post.begin")

    def _gather(self, post: _Post, line: bytes) -> Request | None:
        text = line.rstrip(b"\r")
        if text == b".":
            self._post = None
            return self._finish(post)
        post.size += len(text) + 1
        if post.size > self.content_limit + 1:
            post.request.refusal = post.request.refusal or TooLarge(limit=self.content_limit)
            post.lines.clear()
            return None
        try:
            post.lines.append(textline.clean(text[1:] if text.startswith(b".") else text))
        except Refusal as refusal:
            post.request.refusal = refusal
        return None

    def _finish(self, post: _Post) -> Request:
        request = post.request
        request.spec = registry.actions["send_message"]
        if request.refusal is None and request.command is not None:
            fields = {name: getattr(request.command, name) for name in request.command.__struct_fields__}
            fields["content"] = "\n".join(post.lines)
            try:
                request.command = shapes.build(request.spec, fields, strict=True)
            except BadRequest as refusal:
                request.refusal = refusal
        return request
