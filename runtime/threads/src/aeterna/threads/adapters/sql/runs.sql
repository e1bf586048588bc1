-- Which process of an agent runs which task. A runner lives while its row says so, by this server's clock alone.
--
-- A task names its runner, and the row of a runner outlives its last task: it goes only after every task that named it
-- was freed (see the end). So a task without a runner that lives has none at all, or one whose row has expired; both are
-- found by an index, and a claim that finds nothing has read nothing of the tasks that run.

-- name: beat
-- Returns no row when the agent has too many runners already.
INSERT INTO threads.runners (tenant, agent, runner, expires_at)
SELECT %(tenant)s, %(agent)s, %(runner)s, clock_timestamp() + %(ttl)s
WHERE EXISTS (SELECT FROM threads.runners
              WHERE tenant = %(tenant)s AND agent = %(agent)s AND runner = %(runner)s)
   OR (SELECT count(*) FROM threads.runners WHERE tenant = %(tenant)s AND agent = %(agent)s) < %(most)s
ON CONFLICT (tenant, agent, runner) DO UPDATE SET expires_at = excluded.expires_at
RETURNING runner;

-- name: end_runner
-- Kept as an expired row: a claim that was under way for this runner may still write its name.
UPDATE threads.runners
SET expires_at = least(expires_at, clock_timestamp())
WHERE tenant = %(tenant)s AND agent = %(agent)s AND runner = %(runner)s
RETURNING runner;

-- name: free_tasks_of_runner
-- Leaving in good order is no failed attempt. What is locked just now is skipped: it is free all the same, since its
-- runner has expired, and waiting for it could only meet somebody who waits for us.
UPDATE threads.threads AS task
SET runner = NULL, attempts = greatest(task.attempts - 1, 0)
FROM (
    SELECT thread_id
    FROM threads.threads
    WHERE tenant = %(tenant)s AND agent = %(agent)s AND runner = %(runner)s
    FOR NO KEY UPDATE SKIP LOCKED
) AS held
WHERE task.tenant = %(tenant)s AND task.thread_id = held.thread_id
RETURNING task.thread_id;

-- name: claim
-- The oldest first, of those without a runner and those whose runner is dead. Whoever else claims at the same time
-- skips what is locked here. `again` gives back what this runner has by an answer that never reached it.
WITH me AS MATERIALIZED (
    SELECT runner
    FROM threads.runners
    WHERE tenant = %(tenant)s AND agent = %(agent)s AND runner = %(runner)s AND expires_at > clock_timestamp()
), dead AS MATERIALIZED (
    SELECT runner
    FROM threads.runners
    WHERE tenant = %(tenant)s AND agent = %(agent)s AND expires_at <= clock_timestamp()
), free AS (
    SELECT thread_id, waiting_since
    FROM threads.threads
    WHERE tenant = %(tenant)s AND agent = %(agent)s AND waiting AND runner IS NULL
      AND (expires_at IS NULL OR expires_at > now())
      AND EXISTS (SELECT FROM me)
    ORDER BY waiting_since
    LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
), orphaned AS (
    -- By runner, so that nothing is looked for where nobody is dead.
    SELECT left_behind.thread_id, left_behind.waiting_since
    FROM dead
    CROSS JOIN LATERAL (
        SELECT thread_id, waiting_since
        FROM threads.threads
        WHERE tenant = %(tenant)s AND agent = %(agent)s AND waiting AND runner = dead.runner
          AND (expires_at IS NULL OR expires_at > now())
          AND EXISTS (SELECT FROM me)
        ORDER BY waiting_since
        LIMIT %(limit)s
        FOR NO KEY UPDATE SKIP LOCKED
    ) AS left_behind
), chosen AS (
    SELECT thread_id
    FROM (SELECT * FROM free UNION ALL SELECT * FROM orphaned) AS candidates
    ORDER BY waiting_since, thread_id
    LIMIT %(limit)s
), claimed AS (
    UPDATE threads.threads AS task
    SET runner = %(runner)s, epoch = task.epoch + 1, attempts = task.attempts + 1
    FROM chosen
    WHERE task.tenant = %(tenant)s AND task.thread_id = chosen.thread_id
    RETURNING task.thread_id, task.created_by, task.context_id, task.epoch, task.last_seq, task.attempts,
              task.waiting_since
), again AS (
    SELECT thread_id, created_by, context_id, epoch, last_seq, attempts, waiting_since
    FROM threads.threads
    WHERE tenant = %(tenant)s AND agent = %(agent)s AND waiting AND runner = %(runner)s
      AND %(held)s::text[] IS NOT NULL AND thread_id <> ALL (%(held)s::text[])
      AND (expires_at IS NULL OR expires_at > now())
      AND EXISTS (SELECT FROM me)
    ORDER BY waiting_since, thread_id
    LIMIT %(limit)s
)
SELECT * FROM claimed
UNION ALL
SELECT * FROM again
ORDER BY waiting_since, thread_id;

-- name: release
UPDATE threads.threads
SET runner = NULL
WHERE tenant = %(tenant)s AND agent = %(agent)s AND thread_id = %(thread_id)s AND epoch = %(epoch)s
  AND runner IS NOT NULL
RETURNING thread_id;

-- name: stuck
-- For people, who look rarely: it reads every task of the tenant that waits, unlike the claims.
SELECT task.thread_id, task.created_by, task.agent, task.runner, task.epoch, task.attempts, task.waiting_since,
       living.runner IS NOT NULL AS runner_alive
FROM threads.threads AS task
LEFT JOIN threads.runners AS living
       ON living.tenant = task.tenant AND living.agent = task.agent AND living.runner = task.runner
      AND living.expires_at > clock_timestamp()
WHERE task.tenant = %(tenant)s AND task.waiting
  AND (task.expires_at IS NULL OR task.expires_at > now())
  AND (living.runner IS NULL OR task.attempts > 1)
  AND (%(after_since)s::timestamptz IS NULL
       OR (task.waiting_since, task.thread_id) > (%(after_since)s::timestamptz, %(after_id)s::text))
ORDER BY task.waiting_since, task.thread_id
LIMIT %(limit)s;

-- name: free
-- Takes the lease from whoever has it: the epoch grows, so that they can write nothing from here on.
UPDATE threads.threads
SET runner = NULL, epoch = epoch + 1, attempts = 0
WHERE tenant = %(tenant)s AND thread_id = %(thread_id)s AND agent IS NOT NULL
  AND (state IS NULL OR state <> ALL (%(terminal)s::text[]))
  AND (expires_at IS NULL OR expires_at > now())
RETURNING thread_id, created_by, agent, epoch, last_seq;

-- name: find_task
SELECT state, last_seq
FROM threads.threads
WHERE tenant = %(tenant)s AND thread_id = %(thread_id)s AND agent IS NOT NULL
  AND (expires_at IS NULL OR expires_at > now());

-- name: free_dead_runners
-- For the clean-up, of every tenant, before the next one and in the same transaction. The grace is longer than any claim
-- takes, so that nobody writes the name of a runner whose row is about to go.
UPDATE threads.threads AS task
SET runner = NULL
FROM (
    SELECT held.tenant, held.thread_id
    FROM (
        SELECT tenant, agent, runner
        FROM threads.runners
        WHERE expires_at < clock_timestamp() - %(grace)s
        ORDER BY expires_at
        LIMIT %(limit)s
    ) AS dead
    JOIN threads.threads AS held
      ON held.tenant = dead.tenant AND held.agent = dead.agent AND held.runner = dead.runner
    FOR NO KEY UPDATE OF held SKIP LOCKED
) AS orphan
WHERE task.tenant = orphan.tenant AND task.thread_id = orphan.thread_id
RETURNING task.thread_id;

-- name: remove_dead_runners
DELETE FROM threads.runners AS gone
USING (
    SELECT tenant, agent, runner
    FROM threads.runners AS dead
    WHERE expires_at < clock_timestamp() - %(grace)s
      AND NOT EXISTS (SELECT FROM threads.threads AS held
                      WHERE held.tenant = dead.tenant AND held.agent = dead.agent AND held.runner = dead.runner)
    ORDER BY expires_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
) AS dead
WHERE gone.tenant = dead.tenant AND gone.agent = dead.agent AND gone.runner = dead.runner
RETURNING gone.runner;
