-- Groups beside direct conversations; the whole life of a message; what a person keeps for themselves.

ALTER TABLE conversation ADD COLUMN handle TEXT;
CREATE UNIQUE INDEX conversation_handle ON conversation (handle);
ALTER TABLE conversation ADD COLUMN title TEXT NOT NULL DEFAULT '';
ALTER TABLE conversation ADD COLUMN topic TEXT NOT NULL DEFAULT '';
ALTER TABLE conversation ADD COLUMN join_mode TEXT NOT NULL DEFAULT 'invite';
ALTER TABLE conversation ADD COLUMN who_writes TEXT NOT NULL DEFAULT 'members';
ALTER TABLE conversation ADD COLUMN who_invites TEXT NOT NULL DEFAULT 'admins';
ALTER TABLE conversation ADD COLUMN history TEXT NOT NULL DEFAULT 'all';
ALTER TABLE conversation ADD COLUMN slow_mode BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN retention BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN members BIGINT NOT NULL DEFAULT 0;

-- joined_seq: messages up to it came before this member did and are not shown. hidden_seq: cleared by the member.
-- left_seq: not a member any more. muted_until: an admin took the word away. muted: no noise, for this member alone.
ALTER TABLE member ADD COLUMN role TEXT NOT NULL DEFAULT 'member';
ALTER TABLE member ADD COLUMN joined BIGINT NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN joined_seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN left_seq BIGINT;
ALTER TABLE member ADD COLUMN banned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN hidden_seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN muted_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN spoke BIGINT NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN muted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;

-- Messages get an id of their own: a rowid may change on VACUUM, and the search index points at it.
CREATE TABLE message_with_life (
    id           INTEGER PRIMARY KEY,
    conversation BIGINT NOT NULL,
    seq          BIGINT NOT NULL,
    rev          BIGINT NOT NULL,
    sender       BIGINT NOT NULL,
    client_id    TEXT,
    time         BIGINT NOT NULL,
    kind         TEXT   NOT NULL,
    content      TEXT   NOT NULL,
    reply_to     BIGINT,
    edited       BIGINT,
    recalled     BIGINT,
    burned       BIGINT,
    burn_after   BIGINT,
    expires      BIGINT,
    forwarded    TEXT,
    pinned       BIGINT,
    mentions     TEXT,
    reacted      BIGINT
);
INSERT INTO message_with_life (conversation, seq, rev, sender, client_id, time, kind, content, reply_to)
    SELECT conversation, seq, rev, sender, client_id, time, kind, content, reply_to FROM message ORDER BY rowid;
DROP TABLE message;
ALTER TABLE message_with_life RENAME TO message;
CREATE UNIQUE INDEX message_seq ON message (conversation, seq);
CREATE INDEX message_rev ON message (conversation, rev);
CREATE UNIQUE INDEX message_client_id ON message (sender, client_id) WHERE client_id IS NOT NULL;
CREATE INDEX message_reply_to ON message (conversation, reply_to) WHERE reply_to IS NOT NULL;
CREATE INDEX message_pinned ON message (conversation, pinned) WHERE pinned IS NOT NULL;
CREATE INDEX message_expires ON message (expires) WHERE expires IS NOT NULL;
CREATE INDEX message_burning ON message (conversation, seq) WHERE burn_after IS NOT NULL AND burned IS NULL;

CREATE TABLE reaction (
    conversation BIGINT NOT NULL,
    seq          BIGINT NOT NULL,
    emoji        TEXT   NOT NULL,
    account      BIGINT NOT NULL,
    time         BIGINT NOT NULL,
    PRIMARY KEY (conversation, seq, emoji, account)
);

-- Who is to look at a message; account 0 is everybody.
CREATE TABLE mention (
    conversation BIGINT NOT NULL,
    account      BIGINT NOT NULL,
    seq          BIGINT NOT NULL,
    PRIMARY KEY (conversation, account, seq)
);
CREATE INDEX mention_seq ON mention (conversation, seq);

CREATE TABLE star (
    account      BIGINT NOT NULL,
    conversation BIGINT NOT NULL,
    seq          BIGINT NOT NULL,
    time         BIGINT NOT NULL,
    PRIMARY KEY (account, conversation, seq)
);

-- Messages that one reader deleted for themselves.
CREATE TABLE hidden (
    account      BIGINT NOT NULL,
    conversation BIGINT NOT NULL,
    seq          BIGINT NOT NULL,
    PRIMARY KEY (account, conversation, seq)
);

-- What changed in an account's own affairs, so that each of its devices learns it: one row a thing, in its latest state.
ALTER TABLE account ADD COLUMN log_n BIGINT NOT NULL DEFAULT 0;
CREATE TABLE account_log (
    account BIGINT NOT NULL,
    n       BIGINT NOT NULL,
    thing   TEXT   NOT NULL,
    what    TEXT   NOT NULL,
    data    TEXT   NOT NULL,
    PRIMARY KEY (account, n),
    UNIQUE (account, thing)
);
