-- Retention: legal holds, erasures and their audit, large parts in an object store, quotas and usage.

-- Both at once and in this order, which is the one of who writes: their policies change below, in a moment.
LOCK TABLE threads.threads, threads.events IN ACCESS EXCLUSIVE MODE;

CREATE TABLE threads.holds (
    tenant    text        NOT NULL CHECK (tenant ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    hold_id   text        NOT NULL CHECK (char_length(hold_id) BETWEEN 1 AND 128),
    -- A thread, or a subject, or, when both are null, everything of the tenant.
    thread_id text        CHECK (char_length(thread_id) BETWEEN 1 AND 255),
    subject   text        CHECK (char_length(subject) BETWEEN 1 AND 255),
    reason    text        NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 2000),
    placed_by text        NOT NULL,
    placed_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, hold_id),
    CHECK (thread_id IS NULL OR subject IS NULL)
);

CREATE TABLE threads.erasures (
    tenant        text        NOT NULL CHECK (tenant ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    erasure_id    uuid        NOT NULL,
    scope         text        NOT NULL CHECK (scope IN ('subject', 'thread', 'tenant')),
    -- In plain words only while the work goes on; the certificate keeps the digest.
    target        text,
    target_digest text,
    state         text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done')),
    ordered_by    text        NOT NULL,
    ordered_at    timestamptz NOT NULL,
    -- What was begun before the order is over when no transaction is older than this one.
    ordered_xid   xid8        NOT NULL DEFAULT pg_current_xact_id(),
    done_at       timestamptz,
    held_by       text,
    -- How far the work is: first everything is hidden, then removed; each in the order of thread ids.
    phase         text        NOT NULL DEFAULT 'hide' CHECK (phase IN ('hide', 'remove', 'objects', 'done')),
    after_thread  text        NOT NULL DEFAULT '',
    removed       json        NOT NULL DEFAULT '{}',
    remains       json,
    audit_number  bigint,
    audit_hash    text,
    PRIMARY KEY (tenant, erasure_id),
    CHECK ((state = 'done') = (done_at IS NOT NULL)),
    CHECK (state = 'pending' OR target IS NULL)
);
CREATE INDEX erasures_pending ON threads.erasures (ordered_at) WHERE state = 'pending';

-- What was ordered and done, as a chain of hashes for each tenant: a row that is changed or missing is found out.
CREATE TABLE threads.audit (
    tenant text   NOT NULL CHECK (tenant ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    number bigint NOT NULL CHECK (number >= 1),
    -- Canonical JSON as text: it is what is hashed.
    record text   NOT NULL,
    hash   text   NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'),
    PRIMARY KEY (tenant, number)
);

-- Objects that hold large parts. A row is written before its object, so that no object is ever without one.
CREATE TABLE threads.objects (
    tenant    text        NOT NULL CHECK (tenant ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    thread_id text        NOT NULL,
    sha256    text        NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    bytes     bigint      NOT NULL CHECK (bytes >= 0),
    -- written: a row of the log may name it or not, cleanup looks. kept: one does. doomed: none does any more.
    state     text        NOT NULL DEFAULT 'written' CHECK (state IN ('written', 'kept', 'doomed')),
    noted_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant, thread_id, sha256)
);
CREATE INDEX objects_to_settle ON threads.objects (state, noted_at) WHERE state <> 'kept';

CREATE TABLE threads.quotas (
    tenant            text    PRIMARY KEY CHECK (tenant ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    -- Null is the service's default.
    threads           bigint  CHECK (threads >= 0),
    bytes             bigint  CHECK (bytes >= 0),
    open_tasks        bigint  CHECK (open_tasks >= 0),
    writes_per_second integer CHECK (writes_per_second >= 1),
    changed_by        text        NOT NULL DEFAULT session_user,
    changed_at        timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What each tenant holds, as cleanup counted it last.
CREATE TABLE threads.usage (
    tenant      text        PRIMARY KEY CHECK (tenant ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    threads     bigint      NOT NULL,
    bytes       bigint      NOT NULL,
    object_bytes bigint     NOT NULL,
    open_tasks  bigint      NOT NULL,
    measured_at timestamptz NOT NULL
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['holds', 'erasures', 'audit', 'objects', 'quotas', 'usage'] LOOP
        EXECUTE format('ALTER TABLE threads.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE threads.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY tenant_of_the_transaction ON threads.%I'
            ' USING (tenant = current_setting(''aeterna.tenant'', true))'
            ' WITH CHECK (tenant = current_setting(''aeterna.tenant'', true))', name);
        EXECUTE format(
            'CREATE POLICY jobs_of_every_tenant ON threads.%I TO aeterna_threads_jobs USING (true) WITH CHECK (true)', name);
    END LOOP;
END
$$;

-- Row-level security binds the owner too, who is to set quotas of any tenant.
CREATE POLICY quotas_of_the_owner ON threads.quotas TO CURRENT_USER USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, DELETE ON threads.holds TO aeterna_threads;
GRANT SELECT, INSERT ON threads.erasures TO aeterna_threads;
GRANT SELECT, INSERT ON threads.audit TO aeterna_threads;
GRANT SELECT, INSERT, UPDATE (bytes, state, noted_at) ON threads.objects TO aeterna_threads;
-- A tenant does not raise its own quotas: whoever runs the platform writes them, as the schema's owner.
GRANT SELECT ON threads.quotas, threads.usage TO aeterna_threads;

GRANT SELECT ON threads.holds, threads.quotas TO aeterna_threads_jobs;
GRANT SELECT, INSERT ON threads.audit TO aeterna_threads_jobs;
GRANT SELECT, UPDATE (target, state, done_at, held_by, phase, after_thread, removed, remains, audit_number, audit_hash, ordered_by)
    ON threads.erasures TO aeterna_threads_jobs;
GRANT SELECT, UPDATE (state, noted_at), DELETE ON threads.objects TO aeterna_threads_jobs;
GRANT SELECT, INSERT, UPDATE, DELETE ON threads.usage TO aeterna_threads_jobs;

-- What cleanup and erasures remove. They never change a row of the log but by bury_rows, below.
CREATE POLICY jobs_remove ON threads.threads FOR DELETE TO aeterna_threads_jobs USING (true);
CREATE POLICY jobs_hide ON threads.threads FOR UPDATE TO aeterna_threads_jobs USING (true) WITH CHECK (true);
CREATE POLICY jobs_remove ON threads.events FOR DELETE TO aeterna_threads_jobs USING (true);
-- The runners of the dead: freeing their tasks locks both.
CREATE POLICY jobs_remove ON threads.runners TO aeterna_threads_jobs USING (true) WITH CHECK (true);
CREATE POLICY jobs_count ON threads.steps FOR SELECT TO aeterna_threads_jobs USING (true);
GRANT DELETE, UPDATE (expires_at, runner) ON threads.threads TO aeterna_threads_jobs;
GRANT DELETE ON threads.events TO aeterna_threads_jobs;
GRANT DELETE, UPDATE (expires_at) ON threads.runners TO aeterna_threads_jobs;
GRANT SELECT ON threads.steps TO aeterna_threads_jobs;

-- Holds and removals exclude each other for the time of one transaction: what is decided under a hold is done under it.
CREATE FUNCTION threads.holds_key(p_tenant text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT hashtextextended('aeterna.threads.holds:' || p_tenant, 0)
$$;

-- The hold that covers a thread, or null. A subject's hold covers what the subject owns and where it wrote.
CREATE FUNCTION threads.hold_on(p_tenant text, p_thread text, p_owner text, p_born date) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    hold record;
BEGIN
    FOR hold IN
        SELECT h.hold_id, h.thread_id, h.subject FROM threads.holds AS h WHERE h.tenant = p_tenant ORDER BY h.hold_id
    LOOP
        IF hold.thread_id = p_thread OR hold.subject = p_owner OR (hold.thread_id IS NULL AND hold.subject IS NULL) THEN
            RETURN hold.hold_id;
        END IF;
        IF hold.subject IS NOT NULL AND EXISTS (
            SELECT FROM threads.events AS e
            WHERE e.born = p_born AND e.tenant = p_tenant AND e.thread_id = p_thread AND e.author = hold.subject
        ) THEN
            RETURN hold.hold_id;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

-- Removes an expired thread whose id is wanted again, unless a hold keeps it. A definer's function, because nobody who
-- serves may delete; it does nothing to a thread that lives, nor to another tenant's.
CREATE FUNCTION threads.clear_expired(p_tenant text, p_thread text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    gone record;
BEGIN
    IF p_tenant IS DISTINCT FROM current_setting('aeterna.tenant', true) THEN
        RETURN false;
    END IF;
    SELECT t.born, t.created_by INTO gone FROM threads.threads AS t
    WHERE t.tenant = p_tenant AND t.thread_id = p_thread AND t.expires_at <= clock_timestamp()
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(threads.holds_key(p_tenant));
    IF threads.hold_on(p_tenant, p_thread, gone.created_by, gone.born) IS NOT NULL THEN
        RETURN false;
    END IF;
    DELETE FROM threads.events AS e WHERE e.born = gone.born AND e.tenant = p_tenant AND e.thread_id = p_thread;
    UPDATE threads.objects AS o SET state = 'doomed' WHERE o.tenant = p_tenant AND o.thread_id = p_thread;
    DELETE FROM threads.threads AS t WHERE t.tenant = p_tenant AND t.thread_id = p_thread;
    RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION threads.clear_expired FROM PUBLIC;
GRANT EXECUTE ON FUNCTION threads.clear_expired TO aeterna_threads;

-- Puts an empty row in the place of each row that a subject wrote in threads of others, so that their numbers stay without
-- a gap: the one change of the log that there is. Returns the rows and the threads that it touched. What a client may still
-- read of the row is its kind, its place, its time, and a status' state.
CREATE FUNCTION threads.bury_rows(
    p_tenant text, p_subject text, p_thread text, p_born date, p_upto timestamptz
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    buried bigint;
BEGIN
    IF p_tenant IS DISTINCT FROM current_setting('aeterna.tenant', true) THEN
        RAISE insufficient_privilege USING MESSAGE = 'the transaction is of another tenant';
    END IF;
    UPDATE threads.events AS e
    SET message_id = CASE WHEN e.message_id IS NOT NULL THEN 'erased-' || e.seq END,
        parts = CASE WHEN e.parts IS NOT NULL THEN '[{"kind":"text","text":""}]'::json END,
        metadata = CASE WHEN e.metadata IS NOT NULL THEN '{"aeterna.erased":true}'::json END,
        extra = NULL,
        payload = CASE e.kind
            WHEN 'artifact' THEN json_build_object('artifact', json_build_object('artifactId', 'erased-' || e.seq))
            WHEN 'status' THEN json_build_object('status', json_build_object(
                'state', coalesce(e.payload #>> '{status,state}', 'TASK_STATE_UNSPECIFIED')))
            WHEN 'task' THEN json_build_object('status', json_build_object(
                'state', coalesce(e.payload #>> '{status,state}', 'TASK_STATE_UNSPECIFIED')))
        END,
        artifact_id = CASE WHEN e.artifact_id IS NOT NULL THEN 'erased-' || e.seq END,
        append = false,
        digest = CASE WHEN e.digest IS NOT NULL THEN decode(repeat('00', 32), 'hex') END,
        author = 'erased'
    WHERE e.born = p_born AND e.tenant = p_tenant AND e.thread_id = p_thread AND e.author = p_subject
        AND e.created_at <= p_upto;
    GET DIAGNOSTICS buried = ROW_COUNT;
    IF buried > 0 THEN
        -- Cleanup looks again whether the log still names them.
        UPDATE threads.objects AS o SET state = 'written', noted_at = '-infinity'
        WHERE o.tenant = p_tenant AND o.thread_id = p_thread;
        -- The present status is what the last row with one says.
        UPDATE threads.threads AS t
        SET status = CASE WHEN t.status IS NOT NULL THEN json_build_object('state', t.state) END,
            task_metadata = NULL
        WHERE t.tenant = p_tenant AND t.thread_id = p_thread AND (t.agent = p_subject OR (
            SELECT e.author FROM threads.events AS e
            WHERE e.born = p_born AND e.tenant = p_tenant AND e.thread_id = p_thread AND e.kind IN ('status', 'task')
            ORDER BY e.seq DESC
            LIMIT 1
        ) = 'erased');
        UPDATE threads.steps AS s SET result = NULL, fingerprint = 'erased'
        FROM threads.threads AS t
        WHERE s.tenant = p_tenant AND s.thread_id = p_thread AND t.tenant = s.tenant AND t.thread_id = s.thread_id
            AND t.agent = p_subject;
    END IF;
    RETURN buried;
END
$$;
REVOKE EXECUTE ON FUNCTION threads.bury_rows FROM PUBLIC;
GRANT EXECUTE ON FUNCTION threads.bury_rows TO aeterna_threads_jobs;
