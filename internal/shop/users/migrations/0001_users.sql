CREATE TABLE users (
    id         TEXT   PRIMARY KEY,
    name       TEXT   NOT NULL,
    email      TEXT   NOT NULL,        -- as the user wrote it
    email_key  TEXT   NOT NULL UNIQUE, -- in lower case: what is compared
    password   TEXT   NOT NULL,        -- an argon2id hash in PHC form
    created_at BIGINT NOT NULL         -- milliseconds since 1970
);

CREATE TABLE signing_keys (
    id         TEXT   PRIMARY KEY,
    seed       TEXT   NOT NULL,        -- the private Ed25519 key, base64
    period     BIGINT NOT NULL UNIQUE, -- the start of the period it was made for, milliseconds since 1970
    signs_from BIGINT NOT NULL         -- when it begins to sign: not before it was made; milliseconds since 1970
);
