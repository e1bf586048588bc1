-- Gives the table of messages back, with every plain conversation that has not expired. Removes every task.
LOCK TABLE threads.threads, threads.events IN ACCESS EXCLUSIVE MODE;

DROP VIEW threads.messages;
DROP FUNCTION threads.insert_message();
DROP TRIGGER ended_stays ON threads.threads;
DROP FUNCTION threads.refuse_change();
DROP FUNCTION threads.born_of(text, text);
DROP FUNCTION threads.drop_partition();
DROP FUNCTION threads.day_lives(date);
DROP FUNCTION threads.find_gaps(date);
DROP FUNCTION threads.create_partitions(integer);
DROP TABLE threads.steps;
DROP TABLE threads.runners;

-- Every tenant's rows are moved here, and the owner is bound to one otherwise.
ALTER TABLE threads.threads NO FORCE ROW LEVEL SECURITY;
ALTER TABLE threads.events NO FORCE ROW LEVEL SECURITY;
ALTER TABLE threads.events_kept NO FORCE ROW LEVEL SECURITY;
DELETE FROM threads.threads WHERE agent IS NOT NULL OR expires_at <= clock_timestamp();
INSERT INTO threads.events_kept
    (tenant, thread_id, seq, message_id, role, parts, metadata, digest, author, created_at)
SELECT event.tenant, event.thread_id, event.seq, event.message_id, event.role, event.parts, event.metadata, event.digest,
       event.author, event.created_at
FROM threads.threads AS thread
JOIN threads.events AS event
    ON event.born = thread.born AND event.tenant = thread.tenant AND event.thread_id = thread.thread_id
WHERE thread.born > DATE '1970-01-01';
ALTER TABLE threads.threads FORCE ROW LEVEL SECURITY;

ALTER TABLE threads.events DETACH PARTITION threads.events_kept;
DROP TABLE threads.events;
DROP FUNCTION threads.check_added();
ALTER TABLE threads.events_kept FORCE ROW LEVEL SECURITY;
ALTER TABLE threads.events_kept RENAME TO messages;
ALTER TABLE threads.messages
    DROP CONSTRAINT events_kept_pkey,
    DROP COLUMN born, DROP COLUMN kind, DROP COLUMN streamed, DROP COLUMN said, DROP COLUMN extra, DROP COLUMN payload,
    DROP COLUMN artifact_id, DROP COLUMN append,
    ADD CONSTRAINT messages_pkey PRIMARY KEY USING INDEX messages_pkey,
    ADD CONSTRAINT messages_tenant_thread_id_message_id_key UNIQUE USING INDEX messages_tenant_thread_id_message_id_key,
    -- Binds what is written from now on. What is there was held to it by `check_added`; to look at it again would take as long as
    -- reading it, under this lock.
    ADD CONSTRAINT messages_tenant_thread_id_fkey FOREIGN KEY (tenant, thread_id)
        REFERENCES threads.threads (tenant, thread_id) ON DELETE CASCADE NOT VALID;
ALTER TABLE threads.messages RENAME CONSTRAINT events_seq_check TO messages_seq_check;
ALTER TABLE threads.messages RENAME CONSTRAINT events_message_id_check TO messages_message_id_check;
ALTER TABLE threads.messages RENAME CONSTRAINT events_role_check TO messages_role_check;
ALTER TABLE threads.messages RENAME CONSTRAINT events_digest_check TO messages_digest_check;
GRANT SELECT, INSERT ON threads.messages TO aeterna_threads;

DROP POLICY upkeep_of_the_owner ON threads.threads;
DROP POLICY jobs_of_every_tenant ON threads.threads;
DROP INDEX threads.threads_waiting, threads.threads_claimed, threads.threads_expiring, threads.threads_tasks, threads.threads_plain_newest_first;
ALTER TABLE threads.threads
    DROP COLUMN born, DROP COLUMN agent, DROP COLUMN context_id, DROP COLUMN state, DROP COLUMN status,
    DROP COLUMN task_metadata, DROP COLUMN status_at, DROP COLUMN ttl, DROP COLUMN expires_at, DROP COLUMN epoch,
    DROP COLUMN runner, DROP COLUMN waiting, DROP COLUMN waiting_since, DROP COLUMN handled_seq, DROP COLUMN attempts,
    DROP COLUMN last_write, DROP COLUMN bytes;
REVOKE ALL ON threads.threads, threads.schema_version FROM aeterna_threads_jobs;
REVOKE ALL ON SCHEMA threads FROM aeterna_threads_jobs;
