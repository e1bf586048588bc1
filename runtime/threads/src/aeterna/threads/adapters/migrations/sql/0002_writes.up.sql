-- The one way in which rows get into a log. A function, so that a write is one statement in one flight: the thread is locked for
-- the time that the server needs, and neither BEGIN nor COMMIT nor the tenant costs a message of its own. It runs with the rights
-- of its caller, whom row-level security binds.

ALTER TABLE threads.threads
    -- The last message that waits, or waited, for a runner: whether one waits is told without reading the log.
    ADD COLUMN waiting_seq    bigint NOT NULL DEFAULT 0,
    -- Where the log ended after `last_write`.
    ADD COLUMN last_write_seq bigint NOT NULL DEFAULT 0;

-- Whether a runner lives; one of no name does not.
CREATE FUNCTION threads.runner_lives(p_tenant text, p_agent text, p_runner text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM threads.runners AS living
        WHERE living.tenant = p_tenant AND living.agent = p_agent AND living.runner = p_runner
            AND living.expires_at > clock_timestamp()
    )
$$;

-- Makes the writes in the order of their threads' ids: the one order in which anybody locks more than one thread, so that batches
-- never wait for each other in a circle. A write that is refused changes nothing and lets the others be. Without p_wait, a thread
-- that somebody else has locked is left out as 'locked', so that one slow thread does not hold up its neighbours.
--
-- Looking whether a message is there already costs more than writing it, and it hardly ever is. So nobody looks without p_look,
-- unless the write would be refused: the unique index of message ids refuses all of the writes then, and the caller, who makes them
-- again with p_look, learns which of them was made before.
--
-- What the writes come to is worked out in `t`, and all threads and rows are written by one statement each: a statement's start,
-- with a dozen constraints to prepare, and the triggers on the log cost more than a row.
CREATE FUNCTION threads.write_log(p_tenant text, p_wait boolean, p_look boolean, p_writes json)
RETURNS TABLE (place integer, outcome text, reached bigint, fence bigint, written_at timestamptz, stands text)
LANGUAGE plpgsql
-- A statement is planned once for a connection: planning all of them anew costs more than half of a write. And a plan that was
-- made while the tables were small must not read them whole when they have grown.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_bitmapscan = off SET enable_material = off
AS $$
DECLARE
    w record;
    t threads.threads;
    earlier record;
    refusal text;
    moment timestamptz;
    fresh boolean;
    wins boolean;
    proven boolean;
    begun text[] := '{}';
    changed threads.threads[] := '{}';
    changes integer := 0;
    added_to text[] := '{}';
    added_born date[] := '{}';
    added_after bigint[] := '{}';
    added_at timestamptz[] := '{}';
    added json[] := '{}';
BEGIN
    PERFORM set_config('aeterna.tenant', p_tenant, true);
    -- Reading the writes once more costs as much as making one, and most of them begin nothing.
    IF strpos(p_writes::text, '"context_id"') > 0 THEN
        FOR w IN
            SELECT * FROM json_to_recordset(p_writes) AS given (
                thread_id text, agent text, owner text, context_id text, ttl interval
            )
            WHERE given.context_id IS NOT NULL
            ORDER BY given.thread_id
        LOOP
            IF threads.begin_task(p_tenant, w.thread_id, w.agent, w.owner, w.context_id, w.ttl) THEN
                begun := begun || w.thread_id;
            END IF;
        END LOOP;
    END IF;
    FOR w IN
        SELECT given.*, CASE WHEN p_wait THEN waited.thread ELSE free.thread END AS thread
        FROM (
            SELECT * FROM json_to_recordset(p_writes) AS given (
                n integer, thread_id text, agent text, owner text, write_id text, rows json, row_count integer, size integer,
                messages text[], expected_version bigint, epoch bigint, cancels boolean, state text, ends boolean, status json,
                task_metadata json, waiting_place integer, handled_seq bigint, claim text
            )
            ORDER BY given.thread_id, given.n
        ) AS given
        LEFT JOIN LATERAL (
            SELECT l AS thread FROM threads.threads AS l
            WHERE p_wait AND l.tenant = p_tenant AND l.thread_id = given.thread_id
            FOR NO KEY UPDATE
        ) AS waited ON true
        LEFT JOIN LATERAL (
            SELECT l AS thread FROM threads.threads AS l
            WHERE NOT p_wait AND l.tenant = p_tenant AND l.thread_id = given.thread_id
            FOR NO KEY UPDATE SKIP LOCKED
        ) AS free ON true
    LOOP
        place := w.n; outcome := NULL; reached := NULL; fence := NULL; written_at := NULL; stands := NULL;
        IF changes = 0 OR t.thread_id IS DISTINCT FROM w.thread_id THEN
            -- Else the last write was of the same thread: `t` is what that made of it.
            t := w.thread;
        END IF;
        IF t.thread_id IS NULL AND NOT p_wait
            AND EXISTS (SELECT FROM threads.threads AS l WHERE l.tenant = p_tenant AND l.thread_id = w.thread_id)
        THEN
            outcome := 'locked';
            RETURN NEXT;
            CONTINUE;
        END IF;
        moment := clock_timestamp();
        -- A plain thread has no agent, and every writer of the tenant writes to it.
        IF t.thread_id IS NULL OR t.agent IS DISTINCT FROM w.agent OR w.agent IS NOT NULL AND t.created_by <> w.owner
            OR t.expires_at <= moment
        THEN
            outcome := 'not_found';
            RETURN NEXT;
            CONTINUE;
        END IF;
        fresh := t.last_seq = 0 AND w.thread_id = ANY (begun);
        reached := t.last_seq;
        stands := t.state;
        refusal := CASE
            WHEN w.epoch <> t.epoch THEN 'lease_lost'
            WHEN t.state IN ('TASK_STATE_COMPLETED', 'TASK_STATE_FAILED', 'TASK_STATE_CANCELED', 'TASK_STATE_REJECTED')
                THEN 'ended'
            WHEN w.expected_version <> t.last_seq THEN 'version_conflict'
        END;

        -- Was it made before, and only its answer lost? A writer who others may follow is known by its messages.
        IF w.write_id = t.last_write THEN
            outcome := 'repeated';
            reached := t.last_write_seq;
            written_at := t.updated_at;
        ELSIF w.messages IS NOT NULL AND NOT fresh AND (p_look OR refusal IS NOT NULL) THEN
            SELECT e.seq, e.created_at, r.message_id, e.digest = decode(r.digest, 'hex') AS same, r.ordinality AS number
            INTO earlier
            FROM ROWS FROM (json_to_recordset(w.rows) AS (message_id text, digest text)) WITH ORDINALITY AS r
            CROSS JOIN LATERAL (
                SELECT l.seq, l.created_at, l.digest FROM threads.events AS l
                WHERE l.tenant = p_tenant AND l.thread_id = w.thread_id AND l.born = t.born AND l.message_id = r.message_id
                -- Each by its id, and never by reading the log.
                OFFSET 0
            ) AS e
            ORDER BY same, number
            LIMIT 1;
            IF FOUND THEN
                outcome := CASE WHEN earlier.same THEN 'repeated' ELSE 'message_conflict' END;
                reached := earlier.seq + CASE WHEN earlier.same THEN w.row_count - earlier.number ELSE 0 END;
                written_at := earlier.created_at;
                stands := earlier.message_id;
            END IF;
        END IF;
        outcome := coalesce(outcome, refusal);
        wins := false;
        IF w.claim IS NOT NULL AND coalesce(outcome, 'repeated') = 'repeated' THEN
            wins := t.runner IS DISTINCT FROM w.claim
                AND NOT threads.runner_lives(p_tenant, t.agent, t.runner)
                AND threads.runner_lives(p_tenant, t.agent, w.claim);
        END IF;
        IF outcome IS NOT NULL AND NOT (outcome = 'repeated' AND t.waiting AND wins) THEN
            fence := CASE WHEN outcome = 'repeated' AND t.waiting AND t.runner = w.claim THEN t.epoch END;
            RETURN NEXT;
            CONTINUE;
        END IF;

        IF outcome IS NULL THEN
            -- Time does not run backward in a log.
            moment := greatest(moment, t.updated_at);
            IF w.row_count > 0 THEN
                added_to := added_to || t.thread_id;
                added_born := added_born || t.born;
                added_after := added_after || t.last_seq;
                added_at := added_at || moment;
                added := added || w.rows;
            END IF;
            -- A user's message is known by its id, and must not make the runner's last write forgotten.
            proven := fresh OR w.epoch IS NOT NULL OR w.expected_version IS NOT NULL;
            IF w.waiting_place IS NOT NULL THEN
                t.waiting := true;
                t.waiting_seq := t.last_seq + w.waiting_place;
            END IF;
            IF w.handled_seq IS NOT NULL THEN
                -- Decided here: a message may have come since its runner last looked.
                t.waiting := t.waiting AND t.waiting_seq > w.handled_seq;
                t.handled_seq := greatest(t.handled_seq, w.handled_seq);
                t.attempts := 0;
            END IF;
            IF w.ends THEN
                t.waiting := false;
            END IF;
            IF NOT t.waiting AND (w.ends OR w.handled_seq IS NOT NULL) THEN
                -- Who has nothing left to run needs no lease; its epoch stays valid until another one is given.
                t.runner := NULL;
            END IF;
            IF w.cancels THEN
                t.epoch := t.epoch + 1;
            END IF;
            IF w.status IS NOT NULL OR w.state <> coalesce(t.state, '') THEN
                t.status_at := moment;
            END IF;
            t.state := coalesce(w.state, t.state);
            t.status := coalesce(w.status, t.status);
            t.task_metadata := coalesce(w.task_metadata, t.task_metadata);
            t.last_seq := t.last_seq + w.row_count;
            t.version := t.version + 1;
            t.updated_at := moment;
            IF t.expires_at < moment + t.ttl THEN
                -- Moved in steps, because it is indexed.
                t.expires_at := moment + t.ttl * 1.125;
            END IF;
            t.bytes := t.bytes + w.size;
            IF proven THEN
                t.last_write := w.write_id;
                t.last_write_seq := t.last_seq;
            END IF;
            outcome := CASE WHEN fresh THEN 'created' ELSE 'written' END;
            reached := t.last_seq;
            written_at := moment;
        END IF;
        IF wins AND t.waiting THEN
            t.epoch := t.epoch + 1;
            t.runner := w.claim;
            t.attempts := t.attempts + 1;
        END IF;
        t.waiting_since := CASE WHEN t.waiting THEN coalesce(t.waiting_since, moment) END;
        fence := CASE WHEN t.waiting AND t.runner = w.claim THEN t.epoch END;
        IF changes = 0 OR changed[changes].thread_id <> t.thread_id THEN
            changes := changes + 1;
        END IF;
        changed[changes] := t;
        RETURN NEXT;
    END LOOP;

    UPDATE threads.threads AS l
    SET last_seq = c.last_seq, version = c.version, updated_at = c.updated_at, state = c.state, status = c.status,
        task_metadata = c.task_metadata, status_at = c.status_at, expires_at = c.expires_at, epoch = c.epoch,
        runner = c.runner, waiting = c.waiting, waiting_since = c.waiting_since, waiting_seq = c.waiting_seq,
        handled_seq = c.handled_seq, attempts = c.attempts, last_write = c.last_write, last_write_seq = c.last_write_seq,
        bytes = c.bytes
    FROM unnest(changed) AS c
    -- Each by its own place, which stays while we have it locked; joined by id, a small table is read whole for each of them.
    CROSS JOIN LATERAL (
        SELECT x.ctid FROM threads.threads AS x WHERE x.tenant = p_tenant AND x.thread_id = c.thread_id OFFSET 0
    ) AS mine
    WHERE l.ctid = mine.ctid;
    INSERT INTO threads.events (
        born, tenant, thread_id, seq, kind, streamed, said, message_id, role, parts, metadata, extra, payload, artifact_id,
        append, digest, author, created_at
    )
    SELECT a.born, p_tenant, a.thread_id, a.after + r.ordinality, r.kind, coalesce(r.streamed, false),
        coalesce(r.said, false), r.message_id, r.role, r.parts, r.metadata, r.extra, r.payload, r.artifact_id,
        coalesce(r.append, false), decode(r.digest, 'hex'), r.author, a.moment
    FROM unnest(added_to, added_born, added_after, added_at, added) AS a (thread_id, born, after, moment, rows)
    CROSS JOIN LATERAL ROWS FROM (json_to_recordset(a.rows) AS (
        kind text, streamed boolean, said boolean, message_id text, role text, parts json, metadata json, extra json,
        payload json, artifact_id text, append boolean, digest text, author text
    )) WITH ORDINALITY AS r;
END
$$;

-- Begins a task unless its id is taken, and says whether it did. An id is free again when its task has expired.
CREATE FUNCTION threads.begin_task(
    p_tenant text, p_thread text, p_agent text, p_owner text, p_context text, p_ttl interval
) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    FOR attempt IN 1..2 LOOP
        INSERT INTO threads.threads (
            tenant, thread_id, digest, created_by, born, agent, context_id, ttl, expires_at
        )
        VALUES (
            p_tenant, p_thread, decode(repeat('00', 32), 'hex'), p_owner, (clock_timestamp() AT TIME ZONE 'UTC')::date, p_agent,
            p_context, p_ttl, clock_timestamp() + p_ttl * 1.125
        )
        ON CONFLICT (tenant, thread_id) DO NOTHING;
        IF FOUND THEN
            RETURN true;
        END IF;
        EXIT WHEN attempt = 2 OR NOT EXISTS (
            SELECT FROM threads.threads
            WHERE tenant = p_tenant AND thread_id = p_thread AND expires_at <= clock_timestamp()
        );
        EXIT WHEN NOT threads.clear_expired(p_tenant, p_thread);
    END LOOP;
    RETURN false;
END
$$;

GRANT UPDATE (waiting_seq, last_write_seq) ON threads.threads TO aeterna_threads;
