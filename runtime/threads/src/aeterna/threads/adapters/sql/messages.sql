-- Reading messages of plain threads, and telling of new ones. What writes them is the function threads.write_log.

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
