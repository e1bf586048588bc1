-- What reads whole tables, while everybody goes on writing: each statement by itself, outside of a transaction. An index that a
-- cut-off migration left half-built is dropped first; such an index looks complete by its name.

-- name: drop_threads_waiting
DROP INDEX CONCURRENTLY IF EXISTS threads.threads_waiting;

-- name: threads_waiting
-- What a claim looks at: the tasks without a runner, and those of runners that died. Of those that run it reads nothing.
CREATE INDEX CONCURRENTLY threads_waiting
    ON threads.threads (tenant, agent, waiting_since) WHERE waiting AND runner IS NULL;

-- name: drop_threads_claimed
DROP INDEX CONCURRENTLY IF EXISTS threads.threads_claimed;

-- name: threads_claimed
CREATE INDEX CONCURRENTLY threads_claimed ON threads.threads (tenant, agent, runner) WHERE runner IS NOT NULL;

-- name: drop_threads_expiring
DROP INDEX CONCURRENTLY IF EXISTS threads.threads_expiring;

-- name: threads_expiring
CREATE INDEX CONCURRENTLY threads_expiring ON threads.threads (born, expires_at) WHERE born > DATE '1970-01-01';

-- name: drop_threads_tasks
DROP INDEX CONCURRENTLY IF EXISTS threads.threads_tasks;

-- name: threads_tasks
CREATE INDEX CONCURRENTLY threads_tasks
    ON threads.threads (tenant, agent, created_by, status_at DESC, thread_id DESC) WHERE state IS NOT NULL;

-- name: drop_plain_newest_first
DROP INDEX CONCURRENTLY IF EXISTS threads.threads_plain_newest_first;

-- name: plain_newest_first
-- A tenant has a thousand tasks for each conversation. The index of both stays, for the release before.
CREATE INDEX CONCURRENTLY threads_plain_newest_first
    ON threads.threads (tenant, created_at DESC, thread_id DESC) WHERE agent IS NULL;

-- name: drop_place
DROP INDEX CONCURRENTLY IF EXISTS threads.events_kept_pkey;

-- name: place
CREATE UNIQUE INDEX CONCURRENTLY events_kept_pkey ON threads.messages (tenant, thread_id, seq, born);

-- name: drop_message_id
DROP INDEX CONCURRENTLY IF EXISTS threads.events_kept_message_id;

-- name: message_id
CREATE UNIQUE INDEX CONCURRENTLY events_kept_message_id
    ON threads.messages (tenant, thread_id, message_id, born) WHERE message_id IS NOT NULL;

-- name: validate_agent
ALTER TABLE threads.threads VALIDATE CONSTRAINT threads_agent_check;

-- name: validate_context_id
ALTER TABLE threads.threads VALIDATE CONSTRAINT threads_context_id_check;

-- name: validate_state
ALTER TABLE threads.threads VALIDATE CONSTRAINT threads_state_check;

-- name: validate_epoch
ALTER TABLE threads.threads VALIDATE CONSTRAINT threads_epoch_check;

-- name: validate_expiry
ALTER TABLE threads.threads VALIDATE CONSTRAINT threads_expiry_check;

-- name: validate_kind
ALTER TABLE threads.messages VALIDATE CONSTRAINT events_kind_check;

-- name: validate_born
ALTER TABLE threads.messages VALIDATE CONSTRAINT events_kept_born_check;
