-- Appending and reading messages.

-- name: lock_thread
-- A statement of its own: under READ COMMITTED the next statement's snapshot is then taken after the lock was won, so
-- that it sees what the last holder wrote.
SELECT last_seq
FROM threads.threads
WHERE tenant = %(tenant)s AND thread_id = %(thread_id)s
  AND agent IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())
FOR NO KEY UPDATE;

-- name: append_message
-- Runs while the thread is locked, and decides inside the database, so that the lock is never held across the network.
-- Returns one row: the message that was there, or the one that was written; or none, when the thread ends elsewhere
-- than expected.
WITH found AS (
    SELECT seq, digest, created_at
    FROM threads.messages
    WHERE tenant = %(tenant)s AND thread_id = %(thread_id)s AND message_id = %(message_id)s
), advanced AS (
    UPDATE threads.threads
    SET last_seq = last_seq + 1,
        version = version + 1,
        updated_at = greatest(clock_timestamp(), updated_at),
        -- Moved in steps, because it is indexed.
        expires_at = CASE WHEN expires_at < clock_timestamp() + ttl THEN clock_timestamp() + ttl * 1.125
            ELSE expires_at END
    WHERE tenant = %(tenant)s
      AND thread_id = %(thread_id)s
      AND agent IS NULL
      AND (expires_at IS NULL OR expires_at > clock_timestamp())
      AND last_seq = coalesce(%(expected_seq)s::bigint, last_seq)
      AND NOT EXISTS (SELECT FROM found)
    RETURNING last_seq, updated_at
), written AS (
    INSERT INTO threads.messages
        (tenant, thread_id, seq, message_id, role, parts, metadata, digest, author, created_at)
    SELECT %(tenant)s, %(thread_id)s, last_seq, %(message_id)s, %(role)s, %(parts)s, %(metadata)s, %(digest)s, %(by)s,
           updated_at
    FROM advanced
    RETURNING seq, digest, created_at
)
SELECT seq, digest, created_at, true AS created FROM written
UNION ALL
SELECT seq, digest, created_at, false AS created FROM found;

-- name: read_messages
SELECT seq, message_id, role, parts, metadata, author, created_at
FROM threads.events
-- Known when the plan is made, so that no other partition is in it.
WHERE born = threads.born_of(%(tenant)s, %(thread_id)s)
  AND tenant = %(tenant)s AND thread_id = %(thread_id)s AND seq > %(after_seq)s
ORDER BY seq
LIMIT %(limit)s;

-- name: last_seq
SELECT last_seq FROM threads.threads
WHERE tenant = %(tenant)s AND thread_id = %(thread_id)s
  AND agent IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp());

-- name: announce
SELECT pg_notify(channel, payload)
FROM unnest(%(channels)s::text[], %(payloads)s::text[]) AS news (channel, payload);
