-- A second factor (RFC 6238): the secret in base32, which the server must know to check a code; since when codes are
-- asked for (NULL until it was confirmed); and the newest time step whose code was used, since a code works once.
CREATE TABLE second_factor (
    account   BIGINT PRIMARY KEY,
    secret    TEXT   NOT NULL,
    since     BIGINT,
    last_step BIGINT NOT NULL
);

-- What is left of an account's recovery codes, as SHA-256. One that is used is gone.
CREATE TABLE recovery_code (
    account   BIGINT NOT NULL,
    code_hash TEXT   NOT NULL,
    PRIMARY KEY (account, code_hash)
);
