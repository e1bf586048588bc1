-- The work of cleanup and erasures, over all tenants, as the role aeterna_threads_jobs. Every statement has a limit.

-- name: work_alone
SELECT pg_try_advisory_lock(hashtextextended('aeterna.threads.cleanup', 0)) AS alone;

-- name: work_ended
SELECT pg_advisory_unlock(hashtextextended('aeterna.threads.cleanup', 0));

-- name: hold_shared
-- For each tenant of a batch, in one order; from here on no hold of theirs is placed until the batch is over.
SELECT pg_advisory_xact_lock_shared(threads.holds_key(given.tenant))
FROM (SELECT DISTINCT tenant FROM unnest(%(tenants)s::text[]) AS one (tenant) ORDER BY 1) AS given;

-- name: expired
-- Nobody writes to an expired thread; a write that began before is left alone and found the next time.
SELECT tenant, thread_id, born, expires_at, last_seq
FROM threads.threads
WHERE born > DATE '1970-01-01' AND expires_at <= clock_timestamp()
  AND (%(after_born)s::date IS NULL OR (born, expires_at, tenant, thread_id)
       > (%(after_born)s::date, %(after_at)s::timestamptz, %(after_tenant)s::text, %(after_thread)s::text))
ORDER BY born, expires_at, tenant, thread_id
LIMIT %(limit)s
FOR UPDATE SKIP LOCKED;

-- name: free_of_holds
SELECT thread.tenant, thread.thread_id, thread.born, thread.last_seq
FROM unnest(%(tenants)s::text[], %(threads)s::text[]) AS given (tenant, thread_id)
JOIN threads.threads AS thread USING (tenant, thread_id)
WHERE threads.hold_on(thread.tenant, thread.thread_id, thread.created_by, thread.born) IS NULL
ORDER BY thread.born, thread.tenant, thread.thread_id;

-- name: day_is_dead
-- Whether everything of a day that is over has expired and nothing of it can be held: then the day's partition goes as a
-- whole, and its rows are not touched one by one.
SELECT %(born)s::date < (now() AT TIME ZONE 'UTC')::date - 1
    AND NOT EXISTS (
        SELECT FROM threads.threads WHERE born = %(born)s::date AND (expires_at IS NULL OR expires_at > clock_timestamp())
    )
    AND NOT EXISTS (
        SELECT FROM threads.holds AS hold JOIN threads.threads AS thread USING (tenant) WHERE thread.born = %(born)s::date
    ) AS dead;

-- name: days_with_holds
SELECT DISTINCT thread.born
FROM threads.threads AS thread
JOIN threads.holds AS hold USING (tenant)
WHERE thread.born > DATE '1970-01-01' AND thread.born < (now() AT TIME ZONE 'UTC')::date
  AND thread.expires_at <= clock_timestamp();

-- name: remove_orphans
-- Rows whose thread went with its day, when a hold came in between and kept the day.
DELETE FROM threads.events
WHERE born = %(born)s AND (tenant, thread_id, seq) IN (
    SELECT event.tenant, event.thread_id, event.seq
    FROM threads.events AS event
    WHERE event.born = %(born)s AND NOT EXISTS (
        SELECT FROM threads.threads AS thread
        WHERE thread.tenant = event.tenant AND thread.thread_id = event.thread_id
    )
    LIMIT %(limit)s
);

-- name: remove_rows
DELETE FROM threads.events AS event
USING unnest(%(tenants)s::text[], %(threads)s::text[]) AS given (tenant, thread_id)
WHERE event.born = %(born)s AND event.tenant = given.tenant AND event.thread_id = given.thread_id;

-- name: remove_first_rows
-- A log that is longer than a batch goes piece by piece, while its thread is hidden.
DELETE FROM threads.events
WHERE born = %(born)s AND tenant = %(tenant)s AND thread_id = %(thread_id)s AND seq < %(limit)s + (
    SELECT min(seq) FROM threads.events WHERE born = %(born)s AND tenant = %(tenant)s AND thread_id = %(thread_id)s
);

-- name: doom_objects
UPDATE threads.objects AS object
SET state = 'doomed'
FROM unnest(%(tenants)s::text[], %(threads)s::text[]) AS given (tenant, thread_id)
WHERE object.tenant = given.tenant AND object.thread_id = given.thread_id AND object.state <> 'doomed';

-- name: count_beside
-- What goes with the threads by itself.
WITH given AS (SELECT * FROM unnest(%(tenants)s::text[], %(threads)s::text[]) AS one (tenant, thread_id))
SELECT (SELECT count(*) FROM threads.steps JOIN given USING (tenant, thread_id)) AS steps,
       (SELECT count(*) FROM threads.push_configs JOIN given USING (tenant, thread_id)) AS push_configs,
       (SELECT count(*) FROM threads.outbox AS waiting
        JOIN threads.push_configs AS config ON config.lane = waiting.lane
        JOIN given ON given.tenant = config.tenant AND given.thread_id = config.thread_id) AS outbox,
       (SELECT count(*) FROM threads.dead_letters AS dead
        JOIN threads.push_configs AS config ON config.lane = dead.lane
        JOIN given ON given.tenant = config.tenant AND given.thread_id = config.thread_id) AS dead_letters;

-- name: remove_threads
DELETE FROM threads.threads AS thread
USING unnest(%(tenants)s::text[], %(threads)s::text[]) AS given (tenant, thread_id)
WHERE thread.tenant = given.tenant AND thread.thread_id = given.thread_id;

-- name: create_partitions
SELECT threads.create_partitions(%(ahead)s) AS made;

-- name: drop_partition
SELECT threads.drop_partition() AS dropped;

-- name: pending_erasures
SELECT tenant, erasure_id FROM threads.erasures WHERE state = 'pending' ORDER BY ordered_at LIMIT 1000;

-- name: lock_erasure
SELECT erasure_id, scope, target, target_digest, ordered_by, ordered_at, phase, after_thread, removed,
       pg_snapshot_xmin(pg_current_snapshot()) > ordered_xid AS settled
FROM threads.erasures
WHERE tenant = %(tenant)s AND erasure_id = %(erasure_id)s AND state = 'pending'
FOR UPDATE;

-- name: hold_on_target
SELECT hold_id
FROM threads.holds
WHERE tenant = %(tenant)s AND (
    %(scope)s = 'tenant'
    OR (thread_id IS NULL AND subject IS NULL)
    OR (%(scope)s = 'subject' AND subject = %(target)s)
    OR (%(scope)s = 'thread' AND thread_id = %(target)s)
)
ORDER BY hold_id
LIMIT 1;

-- name: hide_threads
-- Hidden is expired: no reader and no writer finds them from here on.
WITH batch AS (
    SELECT thread_id,
           created_at <= %(ordered_at)s AND (
               %(scope)s = 'tenant'
               OR (%(scope)s = 'subject' AND created_by = %(target)s)
               OR (%(scope)s = 'thread' AND thread_id = %(target)s)
           ) AS reached
    FROM threads.threads
    WHERE tenant = %(tenant)s AND thread_id > %(after)s
      AND (%(scope)s <> 'thread' OR thread_id = %(target)s)
    ORDER BY thread_id
    LIMIT %(limit)s
), hidden AS (
    UPDATE threads.threads AS thread
    SET expires_at = 'epoch'
    FROM batch
    WHERE batch.reached AND thread.tenant = %(tenant)s AND thread.thread_id = batch.thread_id
      AND thread.expires_at IS DISTINCT FROM 'epoch'
)
SELECT max(thread_id) AS last, count(*) AS seen FROM batch;

-- name: next_threads
SELECT thread_id, created_by, born, last_seq,
       created_at <= %(ordered_at)s AND (
           %(scope)s = 'tenant'
           OR (%(scope)s = 'subject' AND created_by = %(target)s)
           OR (%(scope)s = 'thread' AND thread_id = %(target)s)
       ) AS reached
FROM threads.threads
WHERE tenant = %(tenant)s AND thread_id > %(after)s AND (%(scope)s <> 'thread' OR thread_id = %(target)s)
ORDER BY thread_id
LIMIT %(limit)s;

-- name: lock_threads
SELECT FROM threads.threads
WHERE tenant = %(tenant)s AND thread_id = ANY (%(threads)s)
ORDER BY thread_id
FOR UPDATE;

-- name: written_by
-- Which of the threads hold a row of the subject.
SELECT given.thread_id, given.born
FROM unnest(%(threads)s::text[], %(days)s::date[]) AS given (thread_id, born)
WHERE EXISTS (
    SELECT FROM threads.events AS event
    WHERE event.born = given.born AND event.tenant = %(tenant)s AND event.thread_id = given.thread_id
      AND event.author = %(target)s AND event.created_at <= %(ordered_at)s
)
ORDER BY given.thread_id;

-- name: bury_rows
SELECT coalesce(sum(threads.bury_rows(%(tenant)s, %(target)s, given.thread_id, given.born, %(ordered_at)s)), 0)::bigint
    AS buried
FROM unnest(%(threads)s::text[], %(days)s::date[]) AS given (thread_id, born);

-- name: objects_left
-- To be deleted, or not looked at yet: one that was written shortly before the order, by a write that then failed.
SELECT count(*) AS left_over
FROM threads.objects
WHERE tenant = %(tenant)s AND (state = 'doomed' OR (state = 'written' AND noted_at <= %(ordered_at)s));

-- name: look_for_remains
-- What the erasure should have reached; every count is zero.
SELECT (SELECT count(*) FROM threads.threads
        WHERE tenant = %(tenant)s AND created_at <= %(ordered_at)s AND (
            %(scope)s = 'tenant' OR (%(scope)s = 'subject' AND created_by = %(target)s)
            OR (%(scope)s = 'thread' AND thread_id = %(target)s))) AS threads,
       (SELECT count(*) FROM threads.events
        WHERE tenant = %(tenant)s AND created_at <= %(ordered_at)s AND (
            %(scope)s = 'tenant' OR (%(scope)s = 'subject' AND author = %(target)s)
            OR (%(scope)s = 'thread' AND thread_id = %(target)s))) AS events,
       (SELECT count(*) FROM threads.push_configs
        WHERE tenant = %(tenant)s AND created_at <= %(ordered_at)s AND (
            %(scope)s = 'tenant' OR (%(scope)s = 'subject' AND owner = %(target)s)
            OR (%(scope)s = 'thread' AND thread_id = %(target)s))) AS push_configs,
       (SELECT count(*) FROM threads.steps
        WHERE tenant = %(tenant)s AND started_at <= %(ordered_at)s AND (
            %(scope)s = 'tenant' OR (%(scope)s = 'thread' AND thread_id = %(target)s))) AS steps,
       (SELECT count(*) FROM threads.objects
        WHERE tenant = %(tenant)s AND noted_at <= %(ordered_at)s AND (
            %(scope)s = 'tenant' OR (%(scope)s = 'thread' AND thread_id = %(target)s))) AS objects;

-- name: progress_erasure
UPDATE threads.erasures
SET phase = %(phase)s, after_thread = %(after)s, removed = %(removed)s, held_by = %(held_by)s
WHERE tenant = %(tenant)s AND erasure_id = %(erasure_id)s;

-- name: finish_erasure
-- The certificate forgets whom it was about.
UPDATE threads.erasures
SET state = 'done', phase = 'done', done_at = now(), target = NULL, after_thread = '', held_by = NULL, remains = %(remains)s,
    audit_number = %(number)s, audit_hash = %(hash)s
WHERE tenant = %(tenant)s AND erasure_id = %(erasure_id)s;

-- name: settle_objects
-- A row of the log names an object by its digest, wherever in the row that is.
WITH old AS (
    SELECT tenant, thread_id, sha256
    FROM threads.objects
    WHERE state = 'written' AND noted_at < clock_timestamp() - %(grace)s::interval
    ORDER BY noted_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE threads.objects AS object
SET state = CASE WHEN EXISTS (
        SELECT FROM threads.threads AS thread
        JOIN threads.events AS event USING (born, tenant, thread_id)
        WHERE thread.tenant = old.tenant AND thread.thread_id = old.thread_id
          AND (strpos(event.parts::text, old.sha256) > 0 OR strpos(event.payload::text, old.sha256) > 0)
    ) THEN 'kept' ELSE 'doomed' END
FROM old
WHERE object.tenant = old.tenant AND object.thread_id = old.thread_id AND object.sha256 = old.sha256;

-- name: doomed_objects
SELECT tenant, thread_id, sha256, bytes
FROM threads.objects
WHERE state = 'doomed'
ORDER BY noted_at
LIMIT %(limit)s
FOR UPDATE SKIP LOCKED;

-- name: forget_objects
DELETE FROM threads.objects AS object
USING unnest(%(tenants)s::text[], %(threads)s::text[], %(digests)s::text[]) AS given (tenant, thread_id, sha256)
WHERE object.tenant = given.tenant AND object.thread_id = given.thread_id AND object.sha256 = given.sha256;

-- name: usage_is_fresh
SELECT EXISTS (SELECT FROM threads.usage WHERE measured_at > clock_timestamp() - %(age)s::interval) AS fresh;

-- name: measure_usage
WITH held AS (
    SELECT tenant, count(*) AS threads, coalesce(sum(bytes), 0) AS bytes,
           count(*) FILTER (WHERE agent IS NOT NULL AND state IS NOT NULL AND state NOT IN (
               'TASK_STATE_COMPLETED', 'TASK_STATE_FAILED', 'TASK_STATE_CANCELED', 'TASK_STATE_REJECTED')) AS open_tasks
    FROM threads.threads
    WHERE expires_at IS NULL OR expires_at > clock_timestamp()
    GROUP BY tenant
), large AS (
    SELECT tenant, sum(bytes) AS bytes FROM threads.objects WHERE state <> 'doomed' GROUP BY tenant
), gone AS (
    DELETE FROM threads.usage AS one WHERE NOT EXISTS (SELECT FROM held WHERE held.tenant = one.tenant)
)
INSERT INTO threads.usage (tenant, threads, bytes, object_bytes, open_tasks, measured_at)
SELECT held.tenant, held.threads, held.bytes, coalesce(large.bytes, 0), held.open_tasks, clock_timestamp()
FROM held LEFT JOIN large USING (tenant)
ON CONFLICT (tenant) DO UPDATE
SET threads = excluded.threads, bytes = excluded.bytes, object_bytes = excluded.object_bytes,
    open_tasks = excluded.open_tasks, measured_at = excluded.measured_at;

-- name: patient
SELECT set_config('statement_timeout', '10min', true);

-- name: holds_on_threads
SELECT held.hold_id
FROM (
    SELECT threads.hold_on(tenant, thread_id, created_by, born) AS hold_id
    FROM threads.threads
    WHERE tenant = %(tenant)s AND thread_id = ANY (%(threads)s)
      AND EXISTS (SELECT FROM threads.holds AS hold WHERE hold.tenant = %(tenant)s)
) AS held
WHERE held.hold_id IS NOT NULL
ORDER BY held.hold_id
LIMIT 1;

-- name: transaction_time
SELECT now() AS now;
