-- Removes every task.
DROP TABLE threads.steps;
DROP TABLE threads.runners;
DROP TABLE threads.events;
DROP INDEX threads.threads_waiting;
DROP INDEX threads.threads_expiring;
DROP INDEX threads.threads_tasks;
ALTER TABLE threads.threads
    DROP COLUMN born, DROP COLUMN agent, DROP COLUMN context_id, DROP COLUMN state, DROP COLUMN status,
    DROP COLUMN task_metadata, DROP COLUMN status_at, DROP COLUMN ttl, DROP COLUMN expires_at, DROP COLUMN epoch,
    DROP COLUMN runner, DROP COLUMN waiting, DROP COLUMN waiting_since, DROP COLUMN handled_seq, DROP COLUMN attempts,
    DROP COLUMN last_write, DROP COLUMN bytes;
