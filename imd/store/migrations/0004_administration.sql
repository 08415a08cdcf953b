-- Administration: invites by number, announcements, reports, policies, and the log of what admins did.

-- Invites get a number to speak of them: the code itself is not kept.
CREATE TABLE invite_numbered (
    number    INTEGER PRIMARY KEY,
    code_hash TEXT    NOT NULL UNIQUE,
    uses_left INTEGER NOT NULL,
    expires   BIGINT  NOT NULL,
    admin     INTEGER NOT NULL
);
INSERT INTO invite_numbered (code_hash, uses_left, expires, admin)
    SELECT code_hash, uses_left, expires, admin FROM invite ORDER BY expires;
DROP TABLE invite;
ALTER TABLE invite_numbered RENAME TO invite;

CREATE INDEX account_admin ON account (id) WHERE admin = 1;

-- announced: the latest announcement that this account has seen. A row stays when it is taken down, and keeps its number.
ALTER TABLE account ADD COLUMN announced BIGINT NOT NULL DEFAULT 0;
CREATE TABLE announcement (
    number  INTEGER PRIMARY KEY,
    time    BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    author  TEXT   NOT NULL,
    content TEXT   NOT NULL
);

-- content: what the message said when it was reported; NULL for one that burns after reading, of which no copy is kept.
CREATE TABLE report (
    number       INTEGER PRIMARY KEY,
    reporter     BIGINT NOT NULL,
    conversation BIGINT NOT NULL,
    seq          BIGINT NOT NULL,
    sender       BIGINT NOT NULL,
    time         BIGINT NOT NULL,
    kind         TEXT   NOT NULL,
    content      TEXT,
    reason       TEXT   NOT NULL,
    resolved     BIGINT,
    resolver     TEXT   NOT NULL DEFAULT '',
    note         TEXT   NOT NULL DEFAULT '',
    UNIQUE (reporter, conversation, seq)
);
CREATE INDEX report_open ON report (number) WHERE resolved IS NULL;

-- What admins set at run time, over what is configured; and the words that no message may hold.
CREATE TABLE policy (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE word (
    word TEXT PRIMARY KEY
);

-- Names as they were then. Rows are only ever added.
CREATE TABLE audit (
    number    INTEGER PRIMARY KEY,
    time      BIGINT NOT NULL,
    author    TEXT   NOT NULL,
    action    TEXT   NOT NULL,
    arguments TEXT   NOT NULL,
    result    TEXT   NOT NULL
);
