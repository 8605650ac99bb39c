CREATE TABLE idempotency_keys (
    user_id         TEXT   NOT NULL,
    idempotency_key TEXT   NOT NULL,
    fingerprint     TEXT   NOT NULL, -- of the request that came first
    id              TEXT   NOT NULL, -- of what that request creates
    busy_until      BIGINT NOT NULL, -- until when somebody carries it out, milliseconds since 1970
    answer          TEXT,            -- what was created, as JSON; NULL until then
    created_at      BIGINT NOT NULL, -- milliseconds since 1970
    PRIMARY KEY (user_id, idempotency_key)
);

CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
