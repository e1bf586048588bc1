-- name: drop_threads_updated
DROP INDEX CONCURRENTLY IF EXISTS threads.threads_updated;

-- name: drop_plain_by
DROP INDEX CONCURRENTLY IF EXISTS threads.threads_plain_by;
