-- The ledger of side effects. Everything here runs while the task is locked, so that no lease changes hands between the
-- look at the fence and what it protects.

-- name: lock_task
-- A statement of its own: under READ COMMITTED the next one's snapshot is taken after the lock was won.
SELECT epoch, state, last_seq
FROM threads.threads
WHERE tenant = %(tenant)s AND agent = %(agent)s AND thread_id = %(thread_id)s
  AND (expires_at IS NULL OR expires_at > now())
FOR NO KEY UPDATE;

-- name: begin_step
-- A step that is there stays as it is: its epoch says who began it, and so whether it was cut off.
INSERT INTO threads.steps (tenant, thread_id, key, fingerprint, epoch)
SELECT tenant, thread_id, %(key)s, %(fingerprint)s, epoch
FROM threads.threads
WHERE tenant = %(tenant)s AND agent = %(agent)s AND thread_id = %(thread_id)s AND epoch = %(epoch)s
  AND (state IS NULL OR state <> ALL (%(terminal)s::text[]))
  AND (expires_at IS NULL OR expires_at > now())
ON CONFLICT (tenant, thread_id, key) DO NOTHING
RETURNING key;

-- name: finish_step
-- The result counts against the tenant's quota, like a row of the log.
WITH done AS (
    UPDATE threads.steps AS step
    SET finished = true, result = %(result)s::json, finished_at = clock_timestamp()
    FROM threads.threads AS task
    WHERE step.tenant = %(tenant)s AND step.thread_id = %(thread_id)s AND step.key = %(key)s AND NOT step.finished
      AND task.tenant = %(tenant)s AND task.agent = %(agent)s AND task.thread_id = %(thread_id)s
      AND task.epoch = %(epoch)s
      AND (task.state IS NULL OR task.state <> ALL (%(terminal)s::text[]))
      AND (task.expires_at IS NULL OR task.expires_at > now())
    RETURNING step.key
)
UPDATE threads.threads
SET bytes = bytes + octet_length(%(result)s::text)
WHERE tenant = %(tenant)s AND thread_id = %(thread_id)s AND EXISTS (SELECT FROM done)
RETURNING thread_id;

-- name: read_step
SELECT step.key, step.fingerprint, step.finished, step.result, step.epoch, step.started_at, step.finished_at
FROM threads.steps AS step
WHERE step.tenant = %(tenant)s AND step.thread_id = %(thread_id)s AND step.key = %(key)s;
