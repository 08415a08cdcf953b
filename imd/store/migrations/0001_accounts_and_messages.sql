-- Accounts and their devices; conversations as numbered logs; members as pointers into them.

CREATE TABLE account (
    id            INTEGER PRIMARY KEY,
    username      TEXT    NOT NULL UNIQUE,
    display_name  TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    admin         INTEGER NOT NULL,
    disabled      INTEGER NOT NULL,
    created       BIGINT  NOT NULL
);

-- token_hash is the SHA-256 of the token: a stolen database logs nobody in.
CREATE TABLE device (
    id         INTEGER PRIMARY KEY,
    account    BIGINT NOT NULL REFERENCES account (id),
    label      TEXT   NOT NULL,
    token_hash TEXT   NOT NULL UNIQUE,
    created    BIGINT NOT NULL,
    last_seen  BIGINT NOT NULL,
    UNIQUE (account, label)
);

CREATE TABLE invite (
    code_hash TEXT    PRIMARY KEY,
    uses_left INTEGER NOT NULL,
    expires   BIGINT  NOT NULL,
    admin     INTEGER NOT NULL
);

-- direct_key is 'low:high' of the two accounts, so that two people have one conversation, whoever begins it.
CREATE TABLE conversation (
    id         INTEGER PRIMARY KEY,
    kind       TEXT    NOT NULL CHECK (kind IN ('direct', 'group')),
    direct_key TEXT    UNIQUE,
    last_seq   BIGINT  NOT NULL,
    last_rev   BIGINT  NOT NULL,
    created    BIGINT  NOT NULL
);

CREATE TABLE member (
    conversation  BIGINT NOT NULL REFERENCES conversation (id),
    account       BIGINT NOT NULL REFERENCES account (id),
    delivered_seq BIGINT NOT NULL,
    read_seq      BIGINT NOT NULL,
    PRIMARY KEY (conversation, account)
);
CREATE INDEX member_account ON member (account);

-- No reference constraints here: every insert has just looked its conversation and its sender up.
CREATE TABLE message (
    conversation BIGINT NOT NULL,
    seq          BIGINT NOT NULL,
    rev          BIGINT NOT NULL,
    sender       BIGINT NOT NULL,
    client_id    TEXT,
    time         BIGINT NOT NULL,
    kind         TEXT   NOT NULL,
    content      TEXT   NOT NULL,
    reply_to     BIGINT
);
CREATE UNIQUE INDEX message_seq ON message (conversation, seq);
CREATE INDEX message_rev ON message (conversation, rev);
CREATE UNIQUE INDEX message_client_id ON message (sender, client_id) WHERE client_id IS NOT NULL;
