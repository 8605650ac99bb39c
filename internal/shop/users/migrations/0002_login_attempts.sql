CREATE TABLE login_attempts (
    pair         TEXT   PRIMARY KEY, -- a hash of an account and a client's address
    failures     BIGINT NOT NULL,    -- since the last success
    failed_at    BIGINT NOT NULL,    -- milliseconds since 1970
    succeeded_at BIGINT NOT NULL     -- milliseconds since 1970, 0 for never
);
