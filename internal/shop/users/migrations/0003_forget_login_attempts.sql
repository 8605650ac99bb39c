-- What was noted before this column was there is forgotten.
ALTER TABLE login_attempts ADD COLUMN forget_at BIGINT NOT NULL DEFAULT 0; -- milliseconds since 1970
CREATE INDEX login_attempts_forget_at ON login_attempts (forget_at);
