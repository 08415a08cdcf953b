-- Whose life this is: a random name made at the first start and changed by a restore, so that devices notice one.
CREATE TABLE life (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    epoch TEXT NOT NULL
);
