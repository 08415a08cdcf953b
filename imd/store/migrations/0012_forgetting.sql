-- What was destroyed may lie in the database's files for a while, as an older state of a page: `noted` counts how often
-- that was said, and `cleaned` is the count up to which the files are rid of it.
CREATE TABLE forgetting (
    noted   BIGINT NOT NULL,
    cleaned BIGINT NOT NULL
);
INSERT INTO forgetting (noted, cleaned) VALUES (0, 0);
