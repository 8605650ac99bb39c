-- The id of the statement that changed the row last: a statement that is repeated
-- after its connection broke finds out that its first attempt succeeded.
ALTER TABLE payments ADD COLUMN change_id TEXT;
