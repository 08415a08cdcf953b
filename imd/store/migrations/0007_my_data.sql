-- The end of an account. deleted: when it became a tombstone, which is called deleted-N where it was called by its name.
ALTER TABLE account ADD COLUMN deleted BIGINT;

-- Names that were given up: nobody gets one again. Whose it was is not kept.
CREATE TABLE retired_name (
    username TEXT   PRIMARY KEY,
    time     BIGINT NOT NULL
);

-- What is still to be done of a deletion: its conversations are the account's rows in member, seq is how far the messages
-- of the one with the lowest number were taken back.
CREATE TABLE deletion (
    account BIGINT  PRIMARY KEY,
    time    BIGINT  NOT NULL,
    recall  INTEGER NOT NULL,
    seq     BIGINT  NOT NULL
);
