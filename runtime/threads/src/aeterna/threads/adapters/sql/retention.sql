-- Legal holds and erasures as one tenant orders them, and the ledger of its objects.

-- name: hold_alone
-- While a hold is placed, nothing of the tenant is being removed; released when the transaction ends.
SELECT pg_advisory_xact_lock(threads.holds_key(%(tenant)s));

-- name: hold_shared
SELECT pg_advisory_xact_lock_shared(threads.holds_key(%(tenant)s));

-- name: holds
SELECT hold_id, thread_id, subject, reason, placed_by, placed_at
FROM threads.holds
WHERE tenant = %(tenant)s
ORDER BY hold_id;

-- name: read_hold
SELECT hold_id, thread_id, subject, reason, placed_by, placed_at
FROM threads.holds
WHERE tenant = %(tenant)s AND hold_id = %(hold_id)s;

-- name: place_hold
INSERT INTO threads.holds (tenant, hold_id, thread_id, subject, reason, placed_by, placed_at)
VALUES (%(tenant)s, %(hold_id)s, %(thread_id)s, %(subject)s, %(reason)s, %(placed_by)s, %(placed_at)s);

-- name: release_hold
DELETE FROM threads.holds
WHERE tenant = %(tenant)s AND hold_id = %(hold_id)s
RETURNING hold_id, thread_id, subject, reason, placed_by, placed_at;

-- name: hold_on_subject
-- A hold that covers a row of the subject: on everything, on the subject, on a thread that it owns or wrote in, or on
-- somebody who wrote in a thread of the subject's. Looks at threads only where there are holds.
SELECT hold.hold_id
FROM threads.holds AS hold
WHERE hold.tenant = %(tenant)s AND (
    (hold.thread_id IS NULL AND hold.subject IS NULL)
    OR hold.subject = %(subject)s
    OR EXISTS (
        SELECT FROM threads.threads AS thread
        WHERE thread.tenant = %(tenant)s AND thread.thread_id = hold.thread_id AND (
            thread.created_by = %(subject)s OR EXISTS (
                SELECT FROM threads.events AS event
                WHERE event.born = thread.born AND event.tenant = thread.tenant AND event.thread_id = thread.thread_id
                  AND event.author = %(subject)s
            )
        )
    )
    OR EXISTS (
        SELECT FROM threads.threads AS thread
        WHERE hold.subject IS NOT NULL AND thread.tenant = %(tenant)s AND (
            thread.created_by = %(subject)s AND EXISTS (
                SELECT FROM threads.events AS event
                WHERE event.born = thread.born AND event.tenant = thread.tenant AND event.thread_id = thread.thread_id
                  AND event.author = hold.subject
            )
            OR thread.created_by = hold.subject AND EXISTS (
                SELECT FROM threads.events AS event
                WHERE event.born = thread.born AND event.tenant = thread.tenant AND event.thread_id = thread.thread_id
                  AND event.author = %(subject)s
            )
        )
    )
)
ORDER BY hold.hold_id
LIMIT 1;

-- name: hold_on_thread
SELECT threads.hold_on(tenant, thread_id, created_by, born) AS hold_id
FROM threads.threads
WHERE tenant = %(tenant)s AND thread_id = %(thread_id)s;

-- name: hold_on_tenant
SELECT hold_id FROM threads.holds WHERE tenant = %(tenant)s ORDER BY hold_id LIMIT 1;

-- name: order_erasure
INSERT INTO threads.erasures (tenant, erasure_id, scope, target, target_digest, ordered_by, ordered_at)
VALUES (%(tenant)s, %(erasure_id)s, %(scope)s, %(target)s, %(target_digest)s, %(by)s, now())
RETURNING ordered_at;

-- name: read_erasure
SELECT erasure_id, scope, target, target_digest, state, ordered_by, ordered_at, done_at, held_by, removed, remains,
       audit_number, audit_hash
FROM threads.erasures
WHERE tenant = %(tenant)s AND erasure_id = %(erasure_id)s;

-- name: erasures
SELECT erasure_id, scope, target, target_digest, state, ordered_by, ordered_at, done_at, held_by, removed, remains,
       audit_number, audit_hash
FROM threads.erasures
WHERE tenant = %(tenant)s
ORDER BY ordered_at DESC, erasure_id
LIMIT %(limit)s;

-- name: read_chain
SELECT number, record, hash
FROM threads.audit
WHERE tenant = %(tenant)s AND number > %(after)s
ORDER BY number
LIMIT %(limit)s;

-- name: note_objects
-- Waits for whoever is deleting the same object: it is there again only after it was gone.
INSERT INTO threads.objects (tenant, thread_id, sha256, bytes)
SELECT %(tenant)s, given.thread_id, given.sha256, given.bytes
FROM unnest(%(threads)s::text[], %(digests)s::text[], %(sizes)s::bigint[]) AS given (thread_id, sha256, bytes)
ORDER BY given.thread_id, given.sha256
ON CONFLICT (tenant, thread_id, sha256) DO UPDATE SET state = 'written', noted_at = clock_timestamp();

-- name: transaction_time
SELECT now() AS now;
