-- Opening, reading and listing threads. Row-level security already hides other tenants' rows; the tenant is named in
-- each statement as well, so that the primary key serves it and one wall stands when the other falls.

-- name: create_thread
INSERT INTO threads.threads (tenant, thread_id, title, metadata, digest, created_by)
VALUES (%(tenant)s, %(thread_id)s, %(title)s, %(metadata)s, %(digest)s, %(by)s)
ON CONFLICT (tenant, thread_id) DO NOTHING
RETURNING thread_id;

-- name: read_thread
SELECT thread_id, title, metadata, digest, created_by, created_at, updated_at, last_seq, version
FROM threads.threads
WHERE tenant = %(tenant)s AND thread_id = %(thread_id)s;

-- name: newest_threads
SELECT thread_id, title, metadata, digest, created_by, created_at, updated_at, last_seq, version
FROM threads.threads
WHERE tenant = %(tenant)s
ORDER BY created_at DESC, thread_id DESC
LIMIT %(limit)s;

-- name: older_threads
SELECT thread_id, title, metadata, digest, created_by, created_at, updated_at, last_seq, version
FROM threads.threads
WHERE tenant = %(tenant)s AND (created_at, thread_id) < (%(created_at)s, %(thread_id)s)
ORDER BY created_at DESC, thread_id DESC
LIMIT %(limit)s;
