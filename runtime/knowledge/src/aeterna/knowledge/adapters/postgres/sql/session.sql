-- What a transaction is told first.

-- name: enter
-- Lasts until the transaction ends, so that a pooled connection carries no tenant from one caller to the next.
SELECT set_config('aeterna.tenant', %(tenant)s, true);

-- name: one_moment
-- All statements of the transaction see the same state.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
