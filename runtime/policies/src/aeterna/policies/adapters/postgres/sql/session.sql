-- What a transaction is told first.

-- name: enter
-- Lasts until the transaction ends, so that a pooled connection carries no tenant from one request to the next.
SELECT set_config('aeterna.tenant', %(tenant)s, true), set_config('aeterna.reach', %(reach)s, true);
