-- Opening, reading and listing plain threads: those that are no task, and have not expired. Row-level security already hides
-- other tenants' rows; the tenant is named in each statement as well, so that the primary key serves it and one wall stands when
-- the other falls.

-- name: clear_expired
-- The id of a thread that has expired is free again, even where the cleanup has not come by yet.
SELECT threads.clear_expired(tenant, thread_id)
FROM threads.threads
WHERE tenant = %(tenant)s AND thread_id = %(thread_id)s AND expires_at <= clock_timestamp();

-- name: create_thread
-- What expires is kept with what was opened on the same day (UTC), what does not with all that does not.
INSERT INTO threads.threads (tenant, thread_id, title, metadata, digest, created_by, born, ttl, expires_at)
VALUES (
    %(tenant)s, %(thread_id)s, %(title)s, %(metadata)s, %(digest)s, %(by)s,
    CASE WHEN %(ttl)s::interval IS NULL THEN DATE '1970-01-01' ELSE (clock_timestamp() AT TIME ZONE 'UTC')::date END,
    %(ttl)s, clock_timestamp() + %(ttl)s::interval * 1.125
)
ON CONFLICT (tenant, thread_id) DO NOTHING
RETURNING thread_id;

-- name: read_thread
SELECT thread_id, title, metadata, digest, created_by, created_at, updated_at, last_seq, version, expires_at
FROM threads.threads
WHERE tenant = %(tenant)s AND thread_id = %(thread_id)s
  AND agent IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp());

-- name: newest_threads
SELECT thread_id, title, metadata, digest, created_by, created_at, updated_at, last_seq, version, expires_at
FROM threads.threads
WHERE tenant = %(tenant)s
  AND agent IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())
ORDER BY created_at DESC, thread_id DESC
LIMIT %(limit)s;

-- name: older_threads
SELECT thread_id, title, metadata, digest, created_by, created_at, updated_at, last_seq, version, expires_at
FROM threads.threads
WHERE tenant = %(tenant)s AND (created_at, thread_id) < (%(created_at)s, %(thread_id)s)
  AND agent IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())
ORDER BY created_at DESC, thread_id DESC
LIMIT %(limit)s;
