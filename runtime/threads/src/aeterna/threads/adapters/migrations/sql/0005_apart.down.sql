-- name: drop_threads_updated
DROP INDEX CONCURRENTLY IF EXISTS threads.threads_updated;
