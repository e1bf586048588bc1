-- The two indexes of the table of messages as it was, on the partition that becomes it again, while everybody goes on writing.

-- name: drop_place
DROP INDEX CONCURRENTLY IF EXISTS threads.messages_pkey;

-- name: place
CREATE UNIQUE INDEX CONCURRENTLY messages_pkey ON threads.events_kept (tenant, thread_id, seq);

-- name: drop_message_id
DROP INDEX CONCURRENTLY IF EXISTS threads.messages_tenant_thread_id_message_id_key;

-- name: message_id
CREATE UNIQUE INDEX CONCURRENTLY messages_tenant_thread_id_message_id_key
    ON threads.events_kept (tenant, thread_id, message_id);
