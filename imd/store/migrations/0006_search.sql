-- The search index. Sending does not touch it: a job takes in what lies after `indexed`, and what was edited since.

-- place: who has to do with the message, as words (see store/search.py). words: its text, cut by store/words.py, which
-- leaves the tokenizer nothing to do.
CREATE VIRTUAL TABLE search_index USING fts5 (place, words, tokenize = 'ascii', columnsize = 0, prefix = '2 3');
INSERT INTO search_index (search_index, rank) VALUES ('automerge', 0);

-- erased: what was deleted from the index still lies in its pages. tidying: it is being put together anew, without that;
-- last begun at `tidied`.
CREATE TABLE search_state (
    indexed BIGINT NOT NULL, erased INTEGER NOT NULL, tidying INTEGER NOT NULL, tidied BIGINT NOT NULL
);
INSERT INTO search_state (indexed, erased, tidying, tidied) VALUES (0, 0, 0, 0);
CREATE TABLE search_again (message BIGINT PRIMARY KEY);

-- The lowest and highest message of each day (since 1970), among those indexed: where a search by date has to look.
CREATE TABLE search_day (day BIGINT PRIMARY KEY, lowest BIGINT NOT NULL, highest BIGINT NOT NULL);

-- Triggers, so that no way of changing or deleting a message forgets the index. Who makes the table message anew must
-- make them anew.
CREATE TRIGGER message_reworded AFTER UPDATE OF content, kind ON message
WHEN old.id <= (SELECT indexed FROM search_state) BEGIN
    DELETE FROM search_index WHERE rowid = old.id;
    INSERT INTO search_again (message) VALUES (old.id) ON CONFLICT DO NOTHING;
    UPDATE search_state SET erased = 1;
END;

-- SQLite gives the number of a deleted last message out again.
CREATE TRIGGER message_gone AFTER DELETE ON message BEGIN
    DELETE FROM search_index WHERE rowid = old.id;
    DELETE FROM search_again WHERE message = old.id;
    UPDATE search_state SET erased = 1 WHERE indexed >= old.id;
    UPDATE search_state SET indexed = (SELECT coalesce(max(id), 0) FROM message)
        WHERE indexed > (SELECT coalesce(max(id), 0) FROM message);
END;
