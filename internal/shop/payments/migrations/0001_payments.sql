CREATE TABLE payments (
    id         TEXT   PRIMARY KEY,
    user_id    TEXT   NOT NULL,
    order_id   TEXT   NOT NULL,
    amount     BIGINT NOT NULL, -- cents
    status     TEXT   NOT NULL CHECK (status IN ('pending', 'paid', 'refused')),
    created_at BIGINT NOT NULL  -- milliseconds since 1970
);

CREATE INDEX payments_pending ON payments (created_at) WHERE status = 'pending';
