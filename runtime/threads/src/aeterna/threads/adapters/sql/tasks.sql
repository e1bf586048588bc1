-- Reading tasks and their logs. An agent sees its own tasks only, an owner its own only, and nobody one that has expired.

-- name: one_snapshot
-- All statements of the transaction see the same moment: a task, and just the rows that it had then.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;

-- name: read_task
SELECT thread_id, context_id, created_by, agent, state, status, task_metadata, last_seq, epoch, runner, waiting, handled_seq,
       attempts, created_at, coalesce(status_at, created_at) AS status_at, expires_at
FROM threads.threads
WHERE tenant = %(tenant)s AND thread_id = %(thread_id)s AND agent = %(agent)s AND created_by = %(owner)s
  AND (expires_at IS NULL OR expires_at > now());

-- name: read_said
SELECT e.seq, e.created_at, e.kind, e.streamed, e.said, e.author, e.message_id, e.role, e.parts, e.metadata, e.extra, e.payload,
       e.artifact_id, e.append
FROM threads.threads AS t
JOIN threads.events AS e ON e.tenant = t.tenant AND e.thread_id = t.thread_id AND e.born = t.born
WHERE t.tenant = %(tenant)s AND t.thread_id = %(thread_id)s AND t.agent = %(agent)s AND t.created_by = %(owner)s
  AND (t.expires_at IS NULL OR t.expires_at > now())
  AND e.tenant = %(tenant)s AND e.thread_id = %(thread_id)s
  AND e.born = threads.born_of(%(tenant)s, %(thread_id)s)
  AND e.said AND e.seq <= coalesce(%(upto)s::bigint, t.last_seq)
ORDER BY e.seq DESC
LIMIT %(most)s::bigint;

-- name: read_artifacts
SELECT e.seq, e.created_at, e.kind, e.streamed, e.said, e.author, e.message_id, e.role, e.parts, e.metadata, e.extra, e.payload,
       e.artifact_id, e.append
FROM threads.threads AS t
JOIN threads.events AS e ON e.tenant = t.tenant AND e.thread_id = t.thread_id AND e.born = t.born
WHERE t.tenant = %(tenant)s AND t.thread_id = %(thread_id)s AND t.agent = %(agent)s AND t.created_by = %(owner)s
  AND (t.expires_at IS NULL OR t.expires_at > now())
  AND e.tenant = %(tenant)s AND e.thread_id = %(thread_id)s
  AND e.born = threads.born_of(%(tenant)s, %(thread_id)s)
  AND %(wanted)s AND e.kind = 'artifact' AND NOT e.said AND e.seq <= coalesce(%(upto)s::bigint, t.last_seq)
ORDER BY e.seq;

-- name: read_rows
-- Up to the row that uses up the page. What is stored compressed or elsewhere is measured as it is stored first, which reads none
-- of it and is never more than what it holds; only what may be sent is unpacked.
SELECT seq, created_at, kind, streamed, said, author, message_id, role, parts, metadata, extra, payload, artifact_id, append
FROM (
    SELECT *,
           sum(coalesce(octet_length(parts::text), 0) + coalesce(octet_length(payload::text), 0)
               + coalesce(octet_length(metadata::text), 0) + coalesce(octet_length(extra::text), 0))
               OVER (ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM (
        SELECT e.seq, e.created_at, e.kind, e.streamed, e.said, e.author, e.message_id, e.role, e.parts, e.metadata, e.extra,
               e.payload, e.artifact_id, e.append,
               sum(coalesce(pg_column_size(e.parts), 0) + coalesce(pg_column_size(e.payload), 0)
                   + coalesce(pg_column_size(e.metadata), 0) + coalesce(pg_column_size(e.extra), 0))
                   OVER (ORDER BY e.seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS stored_before
        FROM threads.threads AS t
        JOIN threads.events AS e ON e.tenant = t.tenant AND e.thread_id = t.thread_id AND e.born = t.born
        WHERE t.tenant = %(tenant)s AND t.thread_id = %(thread_id)s AND t.agent = %(agent)s AND t.created_by = %(owner)s
          AND (t.expires_at IS NULL OR t.expires_at > now())
          AND e.tenant = %(tenant)s AND e.thread_id = %(thread_id)s
          AND e.born = threads.born_of(%(tenant)s, %(thread_id)s)
          AND e.seq > %(after)s
        ORDER BY e.seq
        LIMIT %(most)s
    ) AS asked
    WHERE coalesce(stored_before, 0) < %(page_bytes)s
) AS measured
WHERE coalesce(before, 0) < %(page_bytes)s
ORDER BY seq;

-- name: read_end
SELECT last_seq, state
FROM threads.threads
WHERE tenant = %(tenant)s AND thread_id = %(thread_id)s AND agent = %(agent)s AND created_by = %(owner)s
  AND (expires_at IS NULL OR expires_at > now());

-- name: list_tasks
SELECT thread_id, context_id, created_by, agent, state, status, task_metadata, last_seq, epoch, runner, waiting, handled_seq,
       attempts, created_at, status_at, expires_at
FROM threads.threads
WHERE tenant = %(tenant)s AND agent = %(agent)s AND created_by = %(owner)s AND state IS NOT NULL
  AND (expires_at IS NULL OR expires_at > now())
  AND (%(context_id)s::text IS NULL OR context_id = %(context_id)s)
  AND (%(state)s::text IS NULL OR state = %(state)s)
  AND (%(status_after)s::timestamptz IS NULL OR status_at >= %(status_after)s)
  AND (%(before)s::timestamptz IS NULL OR (status_at, thread_id) < (%(before)s::timestamptz, %(before_id)s::text))
ORDER BY status_at DESC, thread_id DESC
LIMIT %(most)s;

-- name: count_tasks
SELECT count(*) AS total
FROM threads.threads
WHERE tenant = %(tenant)s AND agent = %(agent)s AND created_by = %(owner)s AND state IS NOT NULL
  AND (expires_at IS NULL OR expires_at > now())
  AND (%(context_id)s::text IS NULL OR context_id = %(context_id)s)
  AND (%(state)s::text IS NULL OR state = %(state)s)
  AND (%(status_after)s::timestamptz IS NULL OR status_at >= %(status_after)s);
