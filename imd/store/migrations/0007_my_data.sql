-- The end of an account. deleted: when it became a tombstone, which is called deleted-N where it was called by its name.
ALTER TABLE account ADD COLUMN deleted BIGINT;

-- Names that were given up: nobody gets one again. Whose it was is not kept.
CREATE TABLE retired_name (
    username TEXT   PRIMARY KEY,
    time     BIGINT NOT NULL
);

-- What is still to be done of a deletion. Its conversations are the account's rows in member: first the words in them are
-- blanked, then they are taken apart; (conversation, seq) is how far that has come. Friends know the account by its name.
CREATE TABLE deletion (
    account      BIGINT  PRIMARY KEY,
    username     TEXT    NOT NULL,
    time         BIGINT  NOT NULL,
    recall       INTEGER NOT NULL,
    blanked      INTEGER NOT NULL,
    conversation BIGINT  NOT NULL,
    seq          BIGINT  NOT NULL
);
