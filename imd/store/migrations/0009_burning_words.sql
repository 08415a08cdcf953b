-- The words of messages that burn have a table of their own, whose rows are only added at its end, never change their
-- length and go together, when none of them says anything any more: SQLite clears what it deletes, but not the places
-- from which it moves a row. message.burning is the row that holds a message's words; its own content is '' then.
CREATE TABLE burning_words (
    id    INTEGER PRIMARY KEY,
    words TEXT NOT NULL
);
ALTER TABLE message ADD COLUMN burning BIGINT;
UPDATE message SET burning = id WHERE burn_after IS NOT NULL AND content <> '';
INSERT INTO burning_words (id, words) SELECT burning, content FROM message WHERE burning IS NOT NULL ORDER BY id;
UPDATE message SET content = '' WHERE burning IS NOT NULL;
CREATE INDEX message_burning_words ON message (conversation, burning) WHERE burning IS NOT NULL;
