-- Listing some of a tenant's plain threads. What the index does not serve is asked of so many threads, and no more: where those do
-- not fill a page, the page ends with the place to go on from, which is no hit.

-- name: in_order
-- By the index that gives the order, and no other way: the rest would be as long as what it finds, whatever the planner expects.
SELECT set_config('enable_bitmapscan', 'off', true), set_config('enable_seqscan', 'off', true);

-- name: threads_of_all
WITH walked AS MATERIALIZED (
    SELECT thread_id, title, metadata, created_by, created_at, updated_at, last_seq, version, expires_at
    FROM threads.threads
    WHERE tenant = %(tenant)s AND agent IS NULL
      AND created_at >= %(created_since)s::timestamptz AND created_at < %(created_before)s::timestamptz
      AND (created_at, thread_id) < (%(at)s::timestamptz, %(thread_id)s)
    ORDER BY created_at DESC, thread_id DESC
    LIMIT %(walk)s
), fitting AS (
    SELECT * FROM walked
    WHERE (expires_at IS NULL OR expires_at > clock_timestamp())
      AND updated_at >= %(updated_since)s::timestamptz AND updated_at < %(updated_before)s::timestamptz
      AND (%(title)s::text IS NULL OR strpos(lower(title), lower(%(title)s)) > 0)
      AND (%(key)s::text IS NULL
           OR json_typeof(metadata -> %(key)s) = 'string' AND metadata ->> %(key)s = %(value)s)
    ORDER BY created_at DESC, thread_id DESC
    LIMIT %(limit)s
)
SELECT true AS hit, * FROM fitting
UNION ALL
(SELECT false, * FROM walked WHERE (SELECT count(*) FROM walked) = %(walk)s ORDER BY created_at, thread_id LIMIT 1)
ORDER BY hit DESC, created_at DESC, thread_id DESC;

-- name: threads_by
WITH walked AS MATERIALIZED (
    SELECT thread_id, title, metadata, created_by, created_at, updated_at, last_seq, version, expires_at
    FROM threads.threads
    WHERE tenant = %(tenant)s AND agent IS NULL AND created_by = %(by)s
      AND created_at >= %(created_since)s::timestamptz AND created_at < %(created_before)s::timestamptz
      AND (created_at, thread_id) < (%(at)s::timestamptz, %(thread_id)s)
    ORDER BY created_at DESC, thread_id DESC
    LIMIT %(walk)s
), fitting AS (
    SELECT * FROM walked
    WHERE (expires_at IS NULL OR expires_at > clock_timestamp())
      AND updated_at >= %(updated_since)s::timestamptz AND updated_at < %(updated_before)s::timestamptz
      AND (%(title)s::text IS NULL OR strpos(lower(title), lower(%(title)s)) > 0)
      AND (%(key)s::text IS NULL
           OR json_typeof(metadata -> %(key)s) = 'string' AND metadata ->> %(key)s = %(value)s)
    ORDER BY created_at DESC, thread_id DESC
    LIMIT %(limit)s
)
SELECT true AS hit, * FROM fitting
UNION ALL
(SELECT false, * FROM walked WHERE (SELECT count(*) FROM walked) = %(walk)s ORDER BY created_at, thread_id LIMIT 1)
ORDER BY hit DESC, created_at DESC, thread_id DESC;
