-- Groups: who waits at the door, links that let in, members by name, and what is left of a group that was deleted.

-- A member's name again, so that a page of members by name costs a page. Names never change.
-- A row with left_seq 0 is somebody who never was a member: banned, or banned once.
ALTER TABLE member ADD COLUMN name TEXT NOT NULL DEFAULT '';
CREATE INDEX member_name ON member (conversation, name) WHERE left_seq IS NULL AND name <> '';
CREATE INDEX member_admin ON member (conversation, account) WHERE role IN ('owner', 'admin');

CREATE INDEX conversation_public ON conversation (members DESC, handle)
    WHERE handle IS NOT NULL AND join_mode <> 'invite';

-- Those at a group's door: invited by a member, or, where invited_by is NULL, asking to be let in.
CREATE TABLE pending (
    conversation BIGINT NOT NULL,
    account      BIGINT NOT NULL,
    invited_by   BIGINT,
    time         BIGINT NOT NULL,
    PRIMARY KEY (conversation, account)
);
CREATE INDEX pending_account ON pending (account);

-- code_hash is the SHA-256 of the code: a stolen database lets nobody in.
CREATE TABLE group_link (
    code_hash    TEXT   PRIMARY KEY,
    conversation BIGINT NOT NULL,
    made_by      BIGINT NOT NULL,
    uses_left    BIGINT NOT NULL,
    expires      BIGINT NOT NULL
);
CREATE INDEX group_link_conversation ON group_link (conversation);

-- Deleted groups whose messages are still to be destroyed, piece by piece. The conversation's own row stays, without
-- a handle: its number is never given again.
CREATE TABLE purge (conversation BIGINT PRIMARY KEY);
CREATE INDEX star_conversation ON star (conversation);
CREATE INDEX hidden_conversation ON hidden (conversation);
