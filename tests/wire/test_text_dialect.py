"""The text dialect, line by line: what is understood, how each bad line is refused, and what a person reads."""

import pytest

from imd.wire import catalog, textline
from imd.wire.accounts import ChangePassword, Identity, Login, Register, Resume, RevokeDevice
from imd.wire.admin import InviteCreate, UserAdd, UserList
from imd.wire.base import Command, Done, Reply, Request, registry
from imd.wire.conversations import History, ListConversations, Page, Sync
from imd.wire.messages import Message, NewMessage, SendMessage, Sent
from imd.wire.receipts import Ack, Read
from imd.wire.session import AskHelp, Greeting, Hello, Ping, Quit

UNDERSTOOD: list[tuple[str, Command]] = [
    ("PING", Ping()),
    ("ping", Ping()),
    ("/Ping", Ping()),
    ("  \tPING \t", Ping()),
    ("PING\r", Ping()),
    ("quit\r", Quit()),
    ("User List", UserList()),
    ("/user   list limit=3", UserList(limit=3)),
    ("USER\tADD carol", UserAdd(username="carol")),
    ("USER ADD carol admin=true a secret", UserAdd(username="carol", password="a secret", admin=True)),
    ("INVITE CREATE uses=5 days=30", InviteCreate(uses=5, days=30)),
    # the rest of the line, as it is
    ("SEND bob hello", SendMessage(to="bob", content="hello")),
    ("SEND bob hello  there ", SendMessage(to="bob", content="hello  there ")),
    ('SEND bob say "hi" = \\n', SendMessage(to="bob", content='say "hi" = \\n')),
    ("SEND bob limit=5 is a word here", SendMessage(to="bob", content="limit=5 is a word here")),
    ("SEND bob content=hi", SendMessage(to="bob", content="content=hi")),
    ("SEND bob hi reply_to=3", SendMessage(to="bob", content="hi reply_to=3")),
    ("SEND bob @ann hi", SendMessage(to="bob", content="@ann hi")),
    ("SEND 张伟 你好　世界", SendMessage(to="张伟", content="你好　世界")),
    ("REGISTER alice correct horse battery", Register(username="alice", password="correct horse battery")),
    ("REGISTER alice invite=x-1 pass word", Register(username="alice", password="pass word", invite="x-1")),
    ("HELP user add", AskHelp(command="user add")),
    ("HELP", AskHelp()),
    ("REVOKE my old phone", RevokeDevice(device="my old phone")),
    # quotes
    ('SEND "bob" "hi"', SendMessage(to="bob", content='"hi"')),
    ('LOGIN alice device="my phone" pw', Login(username="alice", password="pw", device="my phone")),
    (r'SEND "a \"b\" \\ c" hi', SendMessage(to=r'a "b" \ c', content="hi")),
    (r'PASSWORD "two\nlines" new', ChangePassword(old="two\nlines", new="new")),
    ('PASSWORD "old one" new one', ChangePassword(old="old one", new="new one")),
    ('PASSWORD "" new', ChangePassword(old="", new="new")),
    ("PASSWORD it's new", ChangePassword(old="it's", new="new")),
    ('SEND client_id="a b" bob hi', SendMessage(to="bob", content="hi", client_id="a b")),
    ('HISTORY "limit=5"', History(to="limit=5")),
    # key=value before the rest, wherever
    ("SEND reply_to=3 bob hi", SendMessage(to="bob", content="hi", reply_to=3)),
    ("SEND bob reply_to=3 client_id=c hi", SendMessage(to="bob", content="hi", reply_to=3, client_id="c")),
    ("SEND to=bob hi", SendMessage(to="bob", content="hi")),
    ("SEND conversation=7 hi there", SendMessage(conversation=7, content="hi there")),
    ("LOGIN password word device=", Login(username="password", password="word device=")),
    ("LOGIN a device= pw", Login(username="a", password="pw", device="")),
    ("LOGIN a replay=false pw", Login(username="a", password="pw", replay=False)),
    ("RESUME replay=0 abc", Resume(token="abc", replay=False)),
    ("CONVERSATIONS unread_only=true", ListConversations(unread_only=True)),
    ("HELLO client=openssl lang=zh", Hello(client="openssl", lang="zh")),
    ("HISTORY bob before=9 limit=2", History(to="bob", before=9, limit=2)),
    ("SYNC conversation=2 0", Sync(conversation=2, after_rev=0)),
    ("ACK bob 5", Ack(to="bob", seq=5)),
    # what a person may leave out
    ("READ", Read(conversation=0, seq=None)),
    ("READ bob", Read(to="bob", seq=None)),
    ("READ bob 5", Read(to="bob", seq=5)),
    ("READ conversation=3", Read(conversation=3, seq=None)),
    ("READ conversation=3 5", Read(conversation=3, seq=5)),
    # the full-width space of Chinese keyboards
    ("SEND　bob　你好", SendMessage(to="bob", content="你好")),
    # what terminals send
    ("PIMG\b\bNG", Ping()),
    ("xyz\b\b\bPING", Ping()),
    ("\b\bPING", Ping()),
    ("PINGGG\x7f\x7f", Ping()),
    ("SEND bob 你们\b好", SendMessage(to="bob", content="你好")),
    ("PI\0NG", Ping()),
]


@pytest.mark.parametrize(("line", "command"), UNDERSTOOD, ids=lambda each: ascii(each)[:60])
def test_a_line_is_its_command(line: str, command: Command) -> None:
    request = textline.decode(line.encode())
    assert request is not None
    assert request.refusal is None
    assert request.command == command


def test_telnet_negotiation_is_removed() -> None:
    for line in (
        b"\xff\xfb\x01\xff\xfd\x03PING",
        b"PI\xff\xf1NG",
        b"PING\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0",
        b"\xff\xfa\x18\x00xterm\xff\xf0\xff\xf9PI\xff\xffNG",
    ):
        request = textline.decode(line)
        assert request is not None
        assert request.command == Ping()


def usage(verb: str) -> str:
    return registry.verbs[verb].usage()


REFUSED: list[tuple[bytes, str]] = [
    (b"FLY", "ERR unknown_command There is no command FLY. HELP lists them."),
    (b"sedn bob hi", "ERR unknown_command There is no command SEDN. Did you mean SEND?"),
    (b"//ping", "ERR unknown_command There is no command /PING. Did you mean PING?"),
    (b"send_message bob hi", "ERR unknown_command There is no command SEND_MESSAGE. Did you mean SEND?"),
    (b"USER", "ERR unknown_command There is no command USER. Did you mean USER ADD?"),
    (b"user adddd x", "ERR unknown_command There is no command USER ADDDD. Did you mean USER ADD?"),
    (b"USR LIST", "ERR unknown_command There is no command USR LIST. Did you mean USER LIST?"),
    (b"@", "ERR unknown_command There is no command @. HELP lists them."),
    (b"@t", "@t ERR bad_request The field command is missing."),
    (b"@t FLY", "@t ERR unknown_command There is no command FLY. HELP lists them."),
    (b"SEND", f"ERR bad_request The field content is missing. Usage: {usage('SEND')}"),
    (b"SEND bob", f"ERR bad_request The field content is missing. Usage: {usage('SEND')}"),
    (b"SEND bob   ", f"ERR bad_request The field content is missing. Usage: {usage('SEND')}"),
    (b"HISTORY", f"ERR bad_request The field to is missing. Usage: {usage('HISTORY')}"),
    (b"SYNC bob", f"ERR bad_request The field after_rev is missing. Usage: {usage('SYNC')}"),
    (b"PING now", "ERR bad_request There are too many words. Usage: PING"),
    (b"ACK bob 5 6", f"ERR bad_request There are too many words. Usage: {usage('ACK')}"),
    (b"ACK bob five", "ERR bad_request The field seq must be a whole number, not text."),
    (b"ACK bob -1", "ERR bad_request The field seq is too small: at least 0."),
    (b"SEND bob reply_to= hi", "ERR bad_request The field reply_to must be a whole number, not text."),
    (b"HISTORY bob limit=5 limit=6", "ERR bad_request A field is given twice."),
    (b"HISTORY bob limit=500", "ERR bad_request The field limit is too large: at most 200."),
    (b"READ bob conversation=1", "ERR bad_request Give to or conversation, not both."),
    (b"CONVERSATIONS unread_only=yes", "ERR bad_request The field unread_only must be true or false, not text."),
    (b"HELLO lang=fr", "ERR bad_request The field lang must be one of: en, zh."),
    (b'SEND "bob hi', "ERR bad_request A quote is not closed, or not followed by a space."),
    (b'SEND "bob"x hi', "ERR bad_request A quote is not closed, or not followed by a space."),
    (b'SEND "bob\\" hi', "ERR bad_request A quote is not closed, or not followed by a space."),
    (b'LOGIN alice device="x', "ERR bad_request A quote is not closed, or not followed by a space."),
    (b"SEND bob \xc3(", "ERR bad_encoding The line is not valid UTF-8."),
    (b"SEND bob \xed\xa0\x80", "ERR bad_encoding The line is not valid UTF-8."),
    (b"PING \xff\xfe", "ERR bad_encoding The line is not valid UTF-8."),
    (b"\xffPING", "ERR bad_encoding The line is not valid UTF-8."),
    (b"\x1b[2JPING", "ERR unknown_command There is no command ␛[2JPING. Did you mean PING?"),
    ("\u202ePING".encode(), "ERR unknown_command There is no command \ufffdPING. Did you mean PING?"),
    (b"@\x1b[31mred PONG", "@␛[31mred ERR unknown_command There is no command PONG. Did you mean PING?"),
]


@pytest.mark.usefixtures("wording")
@pytest.mark.parametrize(("line", "answer"), REFUSED, ids=lambda each: ascii(each)[:60])
def test_a_bad_line_gets_its_answer(line: bytes, answer: str) -> None:
    request = textline.decode(line)
    assert request is not None
    assert request.command is None
    assert request.refusal is not None
    assert textline.DIALECT.refusal(request, request.refusal, "en").decode() == answer


@pytest.mark.parametrize("line", [b"", b"   ", b"\t", b"\r", b"\0", b"x\b", b"\xff\xfb\x01", "　".encode()])
def test_an_empty_line_is_nothing(line: bytes) -> None:
    assert textline.decode(line) is None


@pytest.mark.parametrize("tag", ["1", "a-b", "张", "@", "x" * 64])
def test_a_tag_is_echoed(tag: str) -> None:
    request = textline.decode(f"  @{tag}  ping".encode())
    assert request is not None
    assert request.id == tag
    assert textline.DIALECT.reply(request, Done(), "en").decode() == f"@{tag} OK PING"


def test_a_tag_of_more_than_64_characters_is_none() -> None:
    request = textline.decode(b"@%b PING" % (b"x" * 65))
    assert request is not None
    assert request.id is None
    assert request.refusal is not None


USAGES = {
    "hello": "HELLO [client=…] [lang=…]",
    "help": "HELP [command...]",
    "ping": "PING",
    "quit": "QUIT",
    "register": "REGISTER username password... [display_name=…] [invite=…]",
    "login": "LOGIN username password... [device=…] [replay=…] [code=…]",
    "resume": "RESUME token [replay=…]",
    "logout": "LOGOUT",
    "change_password": "PASSWORD old new... [code=…]",
    "devices": "DEVICES",
    "revoke_device": "REVOKE device...",
    "whoami": "WHOAMI",
    "send_message": "SEND to content... [conversation=…] [kind=…] [client_id=…] [reply_to=…] [burn_after=…]",
    "conversations": "CONVERSATIONS [unread_only=…]",
    "history": "HISTORY to [conversation=…] [before=…] [after=…] [limit=…]",
    "sync": "SYNC to after_rev [conversation=…] [limit=…]",
    "ack": "ACK to seq [conversation=…]",
    "read": "READ [to] [seq] [conversation=…]",
    "user_add": "USER ADD username [password...] [display_name=…] [admin=…]",
    "user_list": "USER LIST [after=…] [limit=…]",
    "user_passwd": "USER PASSWD username [password...]",
    "user_disable": "USER DISABLE username [enable=…]",
    "invite_create": "INVITE CREATE [uses=…] [days=…] [admin=…]",
}


@pytest.mark.parametrize("action", USAGES)
def test_each_command_says_how_it_is_typed(action: str) -> None:
    assert registry.actions[action].usage() == USAGES[action]


def test_post_is_typed_like_send_without_its_content() -> None:
    assert (
        registry.verbs["POST"].usage() == "POST to [conversation=…] [kind=…] [client_id=…] [reply_to=…] [burn_after=…]"
    )


def request_for(action: str, tag: str | None = None) -> Request:
    return Request(dialect=textline.DIALECT, spec=registry.actions[action], id=tag)


MESSAGE = Message(
    conversation=1,
    seq=4,
    rev=9,
    sender="bob",
    to="bob",
    kind="text",
    content="hi\nyou",
    time="2026-11-23T06:25:18.123Z",
)

REPLIES: list[tuple[str, Reply, str]] = [
    ("ping", Done(), "OK PING"),
    (
        "send_message",
        Sent(conversation=1, seq=2, rev=3, time="2026-11-23T06:25:18.123Z", duplicate=False),
        "OK SEND conversation=1 seq=2 rev=3 time=2026-11-23T06:25:18.123Z duplicate=false",
    ),
    (
        "history",
        Page(conversation=1, messages=[MESSAGE], more=True),
        "- 4 2026-11-23 06:25Z bob: hi\r\n- | you\r\nOK HISTORY conversation=1 more=true",
    ),
    (
        "hello",
        Greeting(server="imd 0.1", protocol="imd/1", epoch="5f0c", limits={"burst": 100}, features=["sync", "replay"]),
        'OK HELLO server="imd 0.1" protocol=imd/1 epoch=5f0c',
    ),
    (
        "whoami",
        Identity(username="ann", display_name='A "n"\n\x1b[2J\u202e', device=""),
        'OK WHOAMI username=ann display_name="A \\"n\\"\\n␛[2J\ufffd" device=""',
    ),
]


@pytest.mark.parametrize(("action", "reply", "shown"), REPLIES, ids=lambda each: str(each)[:30])
def test_a_reply_is_lines_then_ok(action: str, reply: Reply, shown: str) -> None:
    assert textline.DIALECT.reply(request_for(action), reply, "en").decode() == shown


def test_a_message_of_several_lines_cannot_pass_for_others() -> None:
    told = NewMessage(
        conversation=1,
        seq=1,
        rev=1,
        sender="bob",
        to="bob",
        kind="text",
        content="hi\nOK SEND\r\n* ann: me\rx\x1b]0;t\x07\u2028\u2066",
        time="2026-11-23T06:25:18.123Z",
    )
    assert textline.DIALECT.event(told, "en").decode().split("\r\n") == [
        "* bob: hi",
        "* | OK SEND",
        "* | * ann: me␍x␛]0;t␇\ufffd\ufffd",
    ]


@pytest.mark.parametrize(
    ("sender", "to", "english", "chinese"),
    [
        ("bob", "bob", "* bob: hi", "* bob: hi"),
        ("bob", "#team", "* #team bob: hi", "* #team bob: hi"),
        ("ann", "bob", "* you to bob: hi", "* 你对 bob：hi"),
    ],
)
def test_an_event_says_who_speaks_where(sender: str, to: str, english: str, chinese: str) -> None:
    told = NewMessage(
        conversation=1, seq=1, rev=1, sender=sender, to=to, kind="text", content="hi", time="2026-11-23T06:25:18.123Z"
    )
    assert [textline.DIALECT.event(told, language).decode() for language in catalog.LANGUAGES] == [english, chinese]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("bob", "bob"),
        ("", '""'),
        ("two words", '"two words"'),
        ('a"b', r'"a\"b"'),
        ("a\\b", "a\\b"),
        ("a \\b", r'"a \\b"'),
        ("a=b", '"a=b"'),
        ("a\nb", r'"a\nb"'),
        ("全　角", '"全　角"'),
        (5, "5"),
        (True, "true"),
        (False, "false"),
        (1.5, "1.5"),
    ],
)
def test_quoted_is_one_argument(value: object, written: str) -> None:
    assert textline.quoted(value) == written
