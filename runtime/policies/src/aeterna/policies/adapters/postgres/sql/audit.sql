-- The audit and the end of its chain.

-- name: lock_head
-- A statement of its own: under READ COMMITTED the next statement's snapshot is then taken after the lock was won, so
-- that it sees what the last holder wrote.
SELECT seq, hash FROM policies.audit_head FOR UPDATE;

-- name: read_head
SELECT seq, hash FROM policies.audit_head;

-- name: write_record
INSERT INTO policies.audit (seq, at, tenant, act, record, hash)
VALUES (%(seq)s, %(at)s, %(tenant)s, %(act)s, %(record)s, %(hash)s);

-- name: move_head
UPDATE policies.audit_head SET seq = %(seq)s, hash = %(hash)s;

-- name: newest_records
SELECT seq, at, tenant, record, hash FROM policies.audit
WHERE seq < %(before)s
ORDER BY seq DESC
LIMIT %(limit)s;

-- name: next_records
SELECT seq, at, tenant, record, hash FROM policies.audit
WHERE seq > %(after)s
ORDER BY seq
LIMIT %(limit)s;

-- name: newest_cut
SELECT record FROM policies.audit WHERE act = 'audit.cut' ORDER BY seq DESC LIMIT 1;

-- name: last_before
-- The last record of the unbroken run of old ones: where clocks went back, an old record behind a young one stays.
SELECT seq, hash FROM policies.audit
WHERE seq < coalesce((SELECT min(seq) FROM policies.audit WHERE at >= %(moment)s), 9223372036854775807)
ORDER BY seq DESC
LIMIT 1;

-- name: cut
SELECT policies.cut_audit(%(through)s) AS removed;
