-- The log in partitions: the table of messages becomes the first of them, and a view takes its name. Reads nothing of what is
-- stored, so that both tables are locked for milliseconds, in the order in which whoever appends locks them.

LOCK TABLE threads.threads, threads.messages IN ACCESS EXCLUSIVE MODE;

ALTER TABLE threads.messages RENAME TO events_kept;
ALTER TABLE threads.events_kept
    DROP CONSTRAINT messages_tenant_thread_id_fkey,
    DROP CONSTRAINT messages_tenant_thread_id_message_id_key,
    DROP CONSTRAINT messages_pkey,
    ADD CONSTRAINT events_kept_pkey PRIMARY KEY USING INDEX events_kept_pkey;
ALTER TABLE threads.events_kept RENAME CONSTRAINT messages_seq_check TO events_seq_check;
ALTER TABLE threads.events_kept RENAME CONSTRAINT messages_message_id_check TO events_message_id_check;
ALTER TABLE threads.events_kept RENAME CONSTRAINT messages_role_check TO events_role_check;
ALTER TABLE threads.events_kept RENAME CONSTRAINT messages_digest_check TO events_digest_check;

-- Columns in the order of the first partition, so that no row has to be turned around on its way there.
CREATE TABLE threads.events (
    tenant      text        NOT NULL,
    thread_id   text        NOT NULL,
    seq         bigint      NOT NULL CONSTRAINT events_seq_check CHECK (seq >= 1),
    message_id  text        CONSTRAINT events_message_id_check CHECK (char_length(message_id) BETWEEN 1 AND 255),
    role        text        CONSTRAINT events_role_check CHECK (role IN ('user', 'agent')),
    parts       json,
    metadata    json,
    digest      bytea       CONSTRAINT events_digest_check CHECK (octet_length(digest) = 32),
    author      text        NOT NULL,
    created_at  timestamptz NOT NULL,
    born        date        NOT NULL,
    kind        text        NOT NULL
        CONSTRAINT events_kind_check CHECK (kind IN ('message', 'task', 'status', 'artifact', 'reply')),
    streamed    boolean     NOT NULL DEFAULT false,
    said        boolean     NOT NULL DEFAULT false,
    extra       json,
    payload     json,
    artifact_id text,
    append      boolean     NOT NULL DEFAULT false,
    CONSTRAINT events_pkey PRIMARY KEY (tenant, thread_id, seq, born)
) PARTITION BY RANGE (born);
CREATE UNIQUE INDEX events_message_id ON threads.events (tenant, thread_id, message_id, born)
    WHERE message_id IS NOT NULL;

ALTER TABLE threads.events ENABLE ROW LEVEL SECURITY;
ALTER TABLE threads.events FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_of_the_transaction ON threads.events
    USING (tenant = current_setting('aeterna.tenant', true))
    WITH CHECK (tenant = current_setting('aeterna.tenant', true));

ALTER TABLE threads.events ATTACH PARTITION threads.events_kept FOR VALUES FROM ('1970-01-01') TO ('1970-01-02');
ALTER TABLE threads.events_kept DROP CONSTRAINT events_kept_born_check;
-- Partitions are reached through the table of all of them, whose policies hold then.
REVOKE ALL ON threads.events_kept FROM aeterna_threads;

CREATE TABLE threads.runners (
    tenant     text        NOT NULL,
    agent      text        NOT NULL,
    runner     text        NOT NULL CHECK (char_length(runner) BETWEEN 1 AND 255),
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, agent, runner)
)
-- Each runner's row is updated every half second: room on the page keeps that in place.
WITH (fillfactor = 50);
ALTER TABLE threads.runners ENABLE ROW LEVEL SECURITY;
ALTER TABLE threads.runners FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_of_the_transaction ON threads.runners
    USING (tenant = current_setting('aeterna.tenant', true))
    WITH CHECK (tenant = current_setting('aeterna.tenant', true));

CREATE TABLE threads.steps (
    tenant      text        NOT NULL,
    thread_id   text        NOT NULL,
    key         text        NOT NULL CHECK (char_length(key) BETWEEN 1 AND 255),
    fingerprint text        NOT NULL,
    epoch       bigint      NOT NULL,
    finished    boolean     NOT NULL DEFAULT false,
    result      json,
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    PRIMARY KEY (tenant, thread_id, key),
    FOREIGN KEY (tenant, thread_id) REFERENCES threads.threads (tenant, thread_id) ON DELETE CASCADE
);
ALTER TABLE threads.steps ENABLE ROW LEVEL SECURITY;
ALTER TABLE threads.steps FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_of_the_transaction ON threads.steps
    USING (tenant = current_setting('aeterna.tenant', true))
    WITH CHECK (tenant = current_setting('aeterna.tenant', true));

-- Where a thread's log is. Immutable in the sense that counts: a thread never moves. So the planner, which knows tenant and thread
-- by then, asks it once and looks at no other partition.
CREATE FUNCTION threads.born_of(p_tenant text, p_thread_id text) RETURNS date
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN (SELECT born FROM threads.threads WHERE tenant = p_tenant AND thread_id = p_thread_id);
END
$$;

-- What is added to a log follows its end: the rows of a statement are consecutive, and come after `last_seq` was moved to the last
-- of them, which the end of a task forbids; or before, in plain threads, as the release before has it. That no two rows have one
-- place is the primary key's; that none was left out altogether is asked of whole days at a time (`find_gaps`), because to look
-- for the row before costs as much as to write one.
CREATE FUNCTION threads.check_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (
            SELECT tenant, thread_id, born, min(seq) AS first, max(seq) AS last, count(*) AS rows
            FROM added
            GROUP BY tenant, thread_id, born
        ) AS run
        LEFT JOIN LATERAL (
            SELECT t.last_seq, t.agent FROM threads.threads AS t
            WHERE t.tenant = run.tenant AND t.thread_id = run.thread_id AND t.born = run.born
            -- Each by its key: a plan from when the table was small would read all of it.
            OFFSET 0
        ) AS thread ON true
        WHERE (run.last - run.first + 1 = run.rows
            AND (thread.last_seq = run.last OR thread.agent IS NULL AND thread.last_seq = run.first - 1)) IS NOT TRUE
    ) THEN
        RAISE EXCEPTION 'rows do not follow the end of their thread' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER check_added AFTER INSERT ON threads.events
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION threads.check_added();

-- The end of a task is final. The condition is looked at on each write, the function only called to refuse.
CREATE FUNCTION threads.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the task has ended' USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER ended_stays BEFORE UPDATE ON threads.threads
    FOR EACH ROW WHEN (
        OLD.state IN ('TASK_STATE_COMPLETED', 'TASK_STATE_FAILED', 'TASK_STATE_CANCELED', 'TASK_STATE_REJECTED')
        AND (NEW.last_seq <> OLD.last_seq OR NEW.state IS DISTINCT FROM OLD.state)
    )
    EXECUTE FUNCTION threads.refuse_change();

-- What plain conversations say, under the name and with the columns that the release before reads and writes.
CREATE VIEW threads.messages WITH (security_invoker = true) AS
SELECT event.tenant, event.thread_id, event.seq, event.message_id, event.role, event.parts, event.metadata, event.digest,
       event.author, event.created_at
FROM threads.threads AS thread
JOIN threads.events AS event
    ON event.born = thread.born AND event.tenant = thread.tenant AND event.thread_id = thread.thread_id
WHERE event.kind = 'message'
  AND thread.agent IS NULL
  AND (thread.expires_at IS NULL OR thread.expires_at > now());
ALTER VIEW threads.messages ALTER COLUMN metadata SET DEFAULT '{}';

CREATE FUNCTION threads.insert_message() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    thread record;
BEGIN
    SELECT born, agent IS NOT NULL OR expires_at <= clock_timestamp() AS closed INTO thread
    FROM threads.threads
    WHERE tenant = NEW.tenant AND thread_id = NEW.thread_id;
    IF thread.closed THEN
        RAISE EXCEPTION 'the thread is a task, or has expired' USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO threads.events
        (tenant, thread_id, seq, message_id, role, parts, metadata, digest, author, created_at, born, kind, said)
    VALUES
        (NEW.tenant, NEW.thread_id, NEW.seq, NEW.message_id, NEW.role, NEW.parts, NEW.metadata, NEW.digest, NEW.author,
         NEW.created_at, coalesce(thread.born, DATE '1970-01-01'), 'message', true);
    RETURN NEW;
END
$$;
CREATE TRIGGER insert_message INSTEAD OF INSERT ON threads.messages
    FOR EACH ROW EXECUTE FUNCTION threads.insert_message();

-- The service: a log is append only, and what a thread is from its start stays as it is.
GRANT SELECT, INSERT ON threads.messages, threads.events TO aeterna_threads;
GRANT UPDATE (state, status, task_metadata, status_at, expires_at, epoch, runner, waiting, waiting_since, handled_seq,
              attempts, last_write, bytes) ON threads.threads TO aeterna_threads;
GRANT SELECT, INSERT, UPDATE (started_at, expires_at), DELETE ON threads.runners TO aeterna_threads;
GRANT SELECT, INSERT, UPDATE (fingerprint, epoch, finished, result, started_at, finished_at) ON threads.steps
    TO aeterna_threads;
