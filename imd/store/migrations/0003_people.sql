-- What people say of themselves and whom they let in; friends, blocks and requests.

-- display_key is what `find` compares: the display name folded. Older names are folded as far as SQL can;
-- setting a display name folds it whole.
ALTER TABLE account ADD COLUMN display_key TEXT NOT NULL DEFAULT '';
UPDATE account SET display_key = lower(display_name);
CREATE INDEX account_display_key ON account (display_key);
ALTER TABLE account ADD COLUMN bio TEXT NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN writers TEXT NOT NULL DEFAULT 'everyone'
    CHECK (writers IN ('everyone', 'friends', 'nobody'));
ALTER TABLE account ADD COLUMN receipts INTEGER NOT NULL DEFAULT 1;
ALTER TABLE account ADD COLUMN forwards INTEGER NOT NULL DEFAULT 1;
ALTER TABLE account ADD COLUMN findable INTEGER NOT NULL DEFAULT 1;

-- presence is what the account shows itself as while it is here. last_seen stands still while that is 'invisible'.
ALTER TABLE account ADD COLUMN presence TEXT NOT NULL DEFAULT 'online'
    CHECK (presence IN ('online', 'away', 'busy', 'invisible'));
ALTER TABLE account ADD COLUMN presence_text TEXT NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN last_seen BIGINT NOT NULL DEFAULT 0;
UPDATE account SET last_seen = coalesce((SELECT max(last_seen) FROM device WHERE device.account = account.id), 0);

-- What one account is to another: a friend (two rows, one each way), somebody it blocks, or somebody whose messages
-- it declined. At most one of the three; no row for strangers. note is account's own name for a friend.
CREATE TABLE relation (
    account BIGINT NOT NULL REFERENCES account (id),
    other   BIGINT NOT NULL REFERENCES account (id),
    kind    TEXT   NOT NULL CHECK (kind IN ('friend', 'block', 'decline')),
    note    TEXT   NOT NULL,
    since   BIGINT NOT NULL,
    PRIMARY KEY (account, other)
);

-- Requests are kept by name, whether anybody has it or not: asking reveals nothing. To its asker a declined request
-- looks like a pending one; 'withdrawn' is a declined one taken back, kept so that asking again stays unheard.
CREATE TABLE friend_request (
    asker    BIGINT NOT NULL REFERENCES account (id),
    username TEXT   NOT NULL,
    note     TEXT   NOT NULL,
    time     BIGINT NOT NULL,
    state    TEXT   NOT NULL CHECK (state IN ('pending', 'declined', 'withdrawn')),
    PRIMARY KEY (asker, username)
);
CREATE INDEX friend_request_username ON friend_request (username, time);
