CREATE TABLE orders (
    id          TEXT   PRIMARY KEY,
    user_id     TEXT   NOT NULL,
    product_ids TEXT   NOT NULL, -- a JSON list
    status      TEXT   NOT NULL CHECK (status IN ('pending', 'paid')),
    payment_id  TEXT,            -- the payment that won the step to paid
    amount      BIGINT,          -- cents; NULL when the order was created without one
    created_at  BIGINT NOT NULL  -- milliseconds since 1970
);

CREATE INDEX orders_of_user ON orders (user_id, created_at DESC, id);
