-- Whatever becomes of the orders, an order is never charged twice.
CREATE UNIQUE INDEX payments_paid ON payments (order_id) WHERE status = 'paid';

-- 1 once somebody else than the request that created the payment tries to settle it.
ALTER TABLE payments ADD COLUMN left_over BIGINT NOT NULL DEFAULT 0;

DROP INDEX payments_pending;
CREATE INDEX payments_pending ON payments (created_at, id) WHERE status = 'pending';
