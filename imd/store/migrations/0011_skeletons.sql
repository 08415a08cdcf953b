-- What names look like, so that no two look alike: see confusables.py, whose skeleton() these statements call.

-- NULL where there is no name any more; and where two names looked alike before this was asked: there the older one has it.
ALTER TABLE account ADD COLUMN skeleton TEXT;
UPDATE account SET skeleton = skeleton(username) WHERE deleted IS NULL;
UPDATE account SET skeleton = NULL WHERE id NOT IN (SELECT min(id) FROM account GROUP BY skeleton);
CREATE UNIQUE INDEX account_skeleton ON account (skeleton);

ALTER TABLE conversation ADD COLUMN skeleton TEXT;
UPDATE conversation SET skeleton = skeleton(handle) WHERE handle IS NOT NULL;
UPDATE conversation SET skeleton = NULL
    WHERE handle IS NOT NULL AND id NOT IN (SELECT min(id) FROM conversation WHERE handle IS NOT NULL GROUP BY skeleton);
CREATE UNIQUE INDEX conversation_skeleton ON conversation (skeleton);

-- A name that was given up may have looked like another one; neither is given again.
ALTER TABLE retired_name ADD COLUMN skeleton TEXT NOT NULL DEFAULT '';
UPDATE retired_name SET skeleton = skeleton(username);
CREATE INDEX retired_name_skeleton ON retired_name (skeleton);
