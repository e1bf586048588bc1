-- Reading messages of plain threads, and telling of new ones. What writes them is the function threads.write_log.

-- name: read_messages
-- Up to the message that uses up the page, measured as `read_rows` does.
SELECT seq, message_id, role, parts, metadata, author, created_at
FROM (
    SELECT *,
           sum(octet_length(parts::text) + octet_length(metadata::text))
               OVER (ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM (
        SELECT seq, message_id, role, parts, metadata, author, created_at,
               sum(pg_column_size(parts) + pg_column_size(metadata))
                   OVER (ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS stored_before
        FROM threads.events
        -- Known when the plan is made, so that no other partition is in it.
        WHERE born = threads.born_of(%(tenant)s, %(thread_id)s)
          AND tenant = %(tenant)s AND thread_id = %(thread_id)s AND seq > %(after_seq)s
        ORDER BY seq
        LIMIT %(limit)s
    ) AS asked
    WHERE coalesce(stored_before, 0) < %(page_bytes)s
) AS measured
WHERE coalesce(before, 0) < %(page_bytes)s
ORDER BY seq;

-- name: last_seq
SELECT last_seq FROM threads.threads
WHERE tenant = %(tenant)s AND thread_id = %(thread_id)s
  AND agent IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp());

-- name: announce
SELECT pg_notify(channel, payload)
FROM unnest(%(channels)s::text[], %(payloads)s::text[]) AS news (channel, payload);
