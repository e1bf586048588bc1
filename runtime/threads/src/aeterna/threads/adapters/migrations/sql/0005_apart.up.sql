-- Built while everybody goes on writing, each statement outside of a transaction.

-- name: drop_threads_updated
DROP INDEX CONCURRENTLY IF EXISTS threads.threads_updated;

-- name: threads_updated
-- What changed lately. Of ranges of pages (BRIN), because a column of any other kind of index would keep the update of the thread
-- that each append makes from being done in place.
CREATE INDEX CONCURRENTLY threads_updated ON threads.threads USING brin (updated_at)
    WITH (pages_per_range = 16, autosummarize = on);

-- name: drop_plain_by
DROP INDEX CONCURRENTLY IF EXISTS threads.threads_plain_by;

-- name: plain_by
-- What somebody opened, newest first.
CREATE INDEX CONCURRENTLY threads_plain_by
    ON threads.threads (tenant, created_by, created_at DESC, thread_id DESC) WHERE agent IS NULL;
