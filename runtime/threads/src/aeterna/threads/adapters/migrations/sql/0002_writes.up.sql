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

-- Makes the writes, each of a thread of its own, in the order of their threads' ids: the one order in which anybody locks more
-- than one thread, so that batches never wait for each other in a circle. A write that is refused changes nothing and lets the
-- others be. Without p_wait, a thread that somebody else has locked is left out as 'locked', so that one slow thread does not
-- hold up its neighbours.
CREATE FUNCTION threads.write_log(p_tenant text, p_wait boolean, p_writes json)
RETURNS TABLE (place integer, outcome text, reached bigint, fence bigint, written_at timestamptz, stands text)
LANGUAGE plpgsql AS $$
DECLARE
    w record;
    t threads.threads;
    earlier record;
    moment timestamptz;
    fresh boolean;
    waits boolean;
    wins boolean;
    proven boolean;
    added_to text[] := '{}';
    added_born date[] := '{}';
    added_after bigint[] := '{}';
    added_at timestamptz[] := '{}';
    added json[] := '{}';
BEGIN
    PERFORM set_config('aeterna.tenant', p_tenant, true);
    FOR w IN
        SELECT * FROM json_to_recordset(p_writes) AS given (
            n integer, thread_id text, agent text, owner text, write_id text, rows json, row_count integer, size integer,
            messages text[], context_id text, ttl interval, expected_version bigint, epoch bigint, cancels boolean, state text,
            ends boolean, status json, task_metadata json, waiting_place integer, handled_seq bigint, claim text
        )
        ORDER BY given.thread_id, given.n
    LOOP
        place := w.n; outcome := NULL; reached := NULL; fence := NULL; written_at := NULL; stands := NULL;
        fresh := w.context_id IS NOT NULL
            AND threads.begin_task(p_tenant, w.thread_id, w.agent, w.owner, w.context_id, w.ttl);
        IF p_wait OR fresh THEN
            SELECT * INTO t FROM threads.threads AS l
            WHERE l.tenant = p_tenant AND l.thread_id = w.thread_id
            FOR NO KEY UPDATE;
        ELSE
            SELECT * INTO t FROM threads.threads AS l
            WHERE l.tenant = p_tenant AND l.thread_id = w.thread_id
            FOR NO KEY UPDATE SKIP LOCKED;
            IF NOT FOUND AND EXISTS (
                SELECT FROM threads.threads AS l WHERE l.tenant = p_tenant AND l.thread_id = w.thread_id
            ) THEN
                outcome := 'locked';
                RETURN NEXT;
                CONTINUE;
            END IF;
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
        reached := t.last_seq;
        stands := t.state;

        -- Was it made before, and only its answer lost? A writer who others may follow is known by its messages.
        IF w.write_id = t.last_write THEN
            outcome := 'repeated';
            reached := t.last_write_seq;
            written_at := t.updated_at;
        ELSIF w.messages IS NOT NULL AND NOT fresh THEN
            SELECT e.seq, e.created_at, e.message_id, e.digest = decode(r.digest, 'hex') AS same, r.ordinality AS number
            INTO earlier
            FROM ROWS FROM (json_to_recordset(w.rows) AS (message_id text, digest text)) WITH ORDINALITY AS r
            JOIN threads.events AS e ON e.message_id = r.message_id
            WHERE e.tenant = p_tenant AND e.thread_id = w.thread_id AND e.born = t.born
                AND e.message_id = ANY (w.messages)
            ORDER BY same, number
            LIMIT 1;
            IF FOUND THEN
                outcome := CASE WHEN earlier.same THEN 'repeated' ELSE 'message_conflict' END;
                reached := earlier.seq + CASE WHEN earlier.same THEN w.row_count - earlier.number ELSE 0 END;
                written_at := earlier.created_at;
                stands := earlier.message_id;
            END IF;
        END IF;
        wins := w.claim IS NOT NULL AND t.runner IS DISTINCT FROM w.claim
            AND NOT threads.runner_lives(p_tenant, t.agent, t.runner)
            AND threads.runner_lives(p_tenant, t.agent, w.claim);
        IF outcome = 'repeated' AND t.waiting THEN
            -- Whoever repeats a message may run it, if nobody does.
            IF wins THEN
                UPDATE threads.threads AS l SET epoch = t.epoch + 1, runner = w.claim, attempts = t.attempts + 1
                WHERE l.tenant = p_tenant AND l.thread_id = w.thread_id;
            END IF;
            fence := CASE WHEN wins THEN t.epoch + 1 WHEN t.runner = w.claim THEN t.epoch END;
        END IF;
        outcome := coalesce(outcome, CASE
            WHEN w.epoch <> t.epoch THEN 'lease_lost'
            WHEN t.state IN ('TASK_STATE_COMPLETED', 'TASK_STATE_FAILED', 'TASK_STATE_CANCELED', 'TASK_STATE_REJECTED')
                THEN 'ended'
            WHEN w.expected_version <> t.last_seq THEN 'version_conflict'
        END);
        IF outcome IS NOT NULL THEN
            RETURN NEXT;
            CONTINUE;
        END IF;

        -- Time does not run backward in a log.
        moment := greatest(moment, t.updated_at);
        reached := t.last_seq + w.row_count;
        -- Decided here: a message may have come since its runner last looked.
        waits := w.ends IS NOT TRUE AND (
            w.waiting_place IS NOT NULL OR t.waiting AND (w.handled_seq IS NULL OR t.waiting_seq > w.handled_seq)
        );
        wins := wins AND waits;
        -- A user's message is known by its id, and must not make the runner's last write forgotten.
        proven := fresh OR w.epoch IS NOT NULL OR w.expected_version IS NOT NULL;
        UPDATE threads.threads AS l
        SET last_seq = reached,
            version = t.version + 1,
            updated_at = moment,
            state = coalesce(w.state, t.state),
            status = coalesce(w.status, t.status),
            task_metadata = coalesce(w.task_metadata, t.task_metadata),
            status_at = CASE WHEN w.status IS NULL AND (w.state IS NULL OR w.state = t.state) THEN t.status_at
                ELSE moment END,
            -- Moved in steps, because it is indexed.
            expires_at = CASE WHEN t.expires_at < moment + t.ttl THEN moment + t.ttl * 1.125 ELSE t.expires_at END,
            epoch = t.epoch + CASE WHEN wins OR w.cancels THEN 1 ELSE 0 END,
            -- Who has nothing left to run needs no lease; its epoch stays valid until another one is given.
            runner = CASE WHEN wins THEN w.claim WHEN waits OR w.handled_seq IS NULL AND w.ends IS NOT TRUE THEN t.runner END,
            waiting = waits,
            waiting_since = CASE WHEN waits THEN coalesce(t.waiting_since, moment) END,
            waiting_seq = coalesce(t.last_seq + w.waiting_place, t.waiting_seq),
            handled_seq = greatest(t.handled_seq, w.handled_seq),
            attempts = CASE WHEN w.handled_seq IS NULL THEN t.attempts ELSE 0 END + CASE WHEN wins THEN 1 ELSE 0 END,
            last_write = CASE WHEN proven THEN w.write_id ELSE t.last_write END,
            last_write_seq = CASE WHEN proven THEN reached ELSE t.last_write_seq END,
            bytes = t.bytes + w.size
        WHERE l.tenant = p_tenant AND l.thread_id = w.thread_id;
        IF w.row_count > 0 THEN
            added_to := added_to || t.thread_id;
            added_born := added_born || t.born;
            added_after := added_after || t.last_seq;
            added_at := added_at || moment;
            added := added || w.rows;
        END IF;
        outcome := CASE WHEN fresh THEN 'created' ELSE 'written' END;
        fence := CASE WHEN wins THEN t.epoch + 1 WHEN waits AND t.runner = w.claim THEN t.epoch END;
        written_at := moment;
        RETURN NEXT;
    END LOOP;

    -- Once for all of them: the triggers on the log run once for each statement.
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
