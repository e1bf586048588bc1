-- The audit chain of a tenant.

-- name: chain_alone
-- One record after the other: each hash follows the one before it.
SELECT pg_advisory_xact_lock(hashtextextended('aeterna.threads.audit:' || %(tenant)s, 0));

-- name: chain_end
SELECT number, hash FROM threads.audit WHERE tenant = %(tenant)s ORDER BY number DESC LIMIT 1;

-- name: chain_add
INSERT INTO threads.audit (tenant, number, record, hash) VALUES (%(tenant)s, %(number)s, %(record)s, %(hash)s);
