-- A payment pays for one order. payments-svc finds the order by the payment, and
-- compares all paid orders with its payments, in the order of their ids.
CREATE INDEX orders_by_payment ON orders (payment_id) WHERE payment_id IS NOT NULL;
CREATE INDEX orders_paid ON orders (id) WHERE status = 'paid';
