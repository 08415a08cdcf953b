"""The server stops: everybody is told, and it waits until the last is gone."""

import json

import pytest

from imd.testing import MemoryServer
from tests.net.peer import Peer


def test_nobody_to_say_goodbye_to() -> None:
    assert MemoryServer().factory.goodbye().called


def test_everybody_is_told_why_in_their_dialect() -> None:
    server = MemoryServer()
    text, as_json, silent = Peer(server), Peer(server), Peer(server)
    text.send(b"PING\n")
    as_json.send(b'{"action":"ping"}\n')
    server.pass_time(0.5)
    for peer in (text, as_json, silent):
        peer.read()
    done = server.factory.goodbye()
    assert json.loads(as_json.read())["code"] == "unavailable"
    assert text.read().startswith(b"* Closing: The server is stopping")
    assert not done.called, "one is still there"
    assert silent.read().startswith(b"* Closing: ")
    assert done.called
    assert not server.timers


def test_who_does_not_go_is_cut_off() -> None:
    server = MemoryServer()
    peer = Peer(server)
    peer.send(b"PING\n")
    done = server.factory.goodbye()
    server.pass_time(5)
    assert peer.transport.aborted
    peer.end()
    assert done.called


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\n", b"GET /", b""])
def test_who_does_not_speak_lines_is_cut_off_without_words(first: bytes) -> None:
    server = MemoryServer()
    peer = Peer(server)
    if first:
        peer.send(first)
    done = server.factory.goodbye()
    assert peer.transport.aborted
    assert peer.transport.unread == b""
    peer.end()
    assert done.called
