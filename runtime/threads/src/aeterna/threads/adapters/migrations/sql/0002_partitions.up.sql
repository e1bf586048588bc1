-- Partitions of the log: made ahead, and dropped when nobody in them lives. The functions act as the owner of the schema, for jobs
-- that own nothing; each takes its locks for a moment, and gives up (SQLSTATE 55P03) rather than hold up who writes.

-- Row-level security binds the owner too, so the functions below say that it is they who look at every tenant's threads.
CREATE POLICY upkeep_of_the_owner ON threads.threads FOR SELECT TO CURRENT_USER
    USING (current_setting('aeterna.upkeep', true) = 'on');

-- Takes what comes where no partition was made in time.
CREATE TABLE threads.events_other PARTITION OF threads.events DEFAULT;
CREATE INDEX events_other_said ON threads.events_other (tenant, thread_id, seq) WHERE said;
ALTER TABLE threads.events_other ENABLE ROW LEVEL SECURITY;
ALTER TABLE threads.events_other FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_of_the_transaction ON threads.events_other
    USING (tenant = current_setting('aeterna.tenant', true))
    WITH CHECK (tenant = current_setting('aeterna.tenant', true));

-- Makes the partitions of today (UTC) and of so many days after it; returns how many were missing.
CREATE FUNCTION threads.create_partitions(p_ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms' AS $$
DECLARE
    today CONSTANT date := (clock_timestamp() AT TIME ZONE 'UTC')::date;
    day date;
    name text;
    made integer := 0;
BEGIN
    IF p_ahead NOT BETWEEN 0 AND 400 THEN
        RAISE EXCEPTION 'between 0 and 400 days ahead' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('threads.partitions'));
    FOR distance IN 0..p_ahead LOOP
        day := today + distance;
        name := 'events_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('threads.' || name) IS NOT NULL;
        EXECUTE format('CREATE TABLE threads.%I (LIKE threads.events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
        -- Attached rather than created as a partition: that lets everybody read and write the others meanwhile.
        LOCK TABLE ONLY threads.events IN SHARE UPDATE EXCLUSIVE MODE;
        LOCK TABLE threads.events_other IN ACCESS EXCLUSIVE MODE;
        ALTER TABLE threads.events_other NO FORCE ROW LEVEL SECURITY;
        EXECUTE format(
            'WITH moved AS (DELETE FROM threads.events_other WHERE born = %L RETURNING *) '
            'INSERT INTO threads.%I SELECT * FROM moved', day, name
        );
        ALTER TABLE threads.events_other FORCE ROW LEVEL SECURITY;
        EXECUTE format(
            'CREATE INDEX %I ON threads.%I (tenant, thread_id, seq) WHERE said', name || '_said', name
        );
        EXECUTE format('ALTER TABLE threads.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE threads.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY tenant_of_the_transaction ON threads.%I '
            'USING (tenant = current_setting(''aeterna.tenant'', true)) '
            'WITH CHECK (tenant = current_setting(''aeterna.tenant'', true))', name
        );
        EXECUTE format(
            'ALTER TABLE threads.events ATTACH PARTITION threads.%I FOR VALUES FROM (%L) TO (%L)', name, day, day + 1
        );
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;

-- Whether a thread of a day is there, expired or not: what a legal hold keeps stays with its day.
CREATE FUNCTION threads.day_lives(p_day date) RETURNS boolean
LANGUAGE sql VOLATILE AS $$
    -- The second condition is the index's.
    SELECT EXISTS (SELECT FROM threads.threads WHERE born = p_day AND born > DATE '1970-01-01')
$$;

-- Drops the oldest partition without a thread and returns its name, or null when there is none. The cleanup removes the rows of
-- threads first, and leaves their logs to this. One partition a transaction, because its lock lasts as long.
CREATE FUNCTION threads.drop_partition() RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms' AS $$
DECLARE
    -- Not yesterday's: a transaction that opens a thread just before midnight ends after it.
    newest CONSTANT date := (clock_timestamp() AT TIME ZONE 'UTC')::date - 2;
    candidate record;
BEGIN
    -- Where it cannot see every thread, none would seem to live.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls))
        AND NOT EXISTS (
            SELECT FROM pg_policies
            WHERE schemaname = 'threads' AND tablename = 'threads' AND policyname = 'upkeep_of_the_owner'
              AND current_user = ANY (roles)
        )
    THEN
        RAISE EXCEPTION 'the owner of this function may not see every thread' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM set_config('aeterna.upkeep', 'on', true);
    FOR candidate IN
        SELECT child.relname AS name, to_date(substr(child.relname, 8), 'YYYYMMDD') AS day
        FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
        WHERE inhparent = 'threads.events'::regclass AND child.relname ~ '^events_[0-9]{8}$'
        ORDER BY day
    LOOP
        CONTINUE WHEN candidate.day > newest OR threads.day_lives(candidate.day);
        LOCK TABLE ONLY threads.events IN ACCESS EXCLUSIVE MODE;
        -- Asked again, now that nobody writes.
        CONTINUE WHEN threads.day_lives(candidate.day);
        EXECUTE format('DROP TABLE threads.%I', candidate.name);
        PERFORM set_config('aeterna.upkeep', '', true);
        RETURN candidate.name;
    END LOOP;
    PERFORM set_config('aeterna.upkeep', '', true);
    RETURN NULL;
END
$$;

-- The threads of a day whose rows are not 1 to `last_seq`, for whoever sees them. Reads the whole partition.
CREATE FUNCTION threads.find_gaps(p_day date)
RETURNS TABLE (tenant text, thread_id text, last_seq bigint, rows bigint, highest bigint)
LANGUAGE sql STABLE AS $$
    SELECT tenant, thread_id, thread.last_seq, coalesce(log.rows, 0), coalesce(log.highest, 0)
    FROM threads.threads AS thread
    LEFT JOIN (
        SELECT tenant, thread_id, count(*) AS rows, max(seq) AS highest
        FROM threads.events
        WHERE born = p_day
        GROUP BY tenant, thread_id
    ) AS log USING (tenant, thread_id)
    WHERE thread.born = p_day AND (coalesce(log.rows, 0), coalesce(log.highest, 0)) <> (thread.last_seq, thread.last_seq)
$$;

SELECT threads.create_partitions(3);

-- The jobs see every tenant, and in this revision change nothing. Each later revision grants what it needs.
CREATE POLICY jobs_of_every_tenant ON threads.threads FOR SELECT TO aeterna_threads_jobs USING (true);
CREATE POLICY jobs_of_every_tenant ON threads.events FOR SELECT TO aeterna_threads_jobs USING (true);
CREATE POLICY jobs_of_every_tenant ON threads.runners FOR SELECT TO aeterna_threads_jobs USING (true);
GRANT USAGE ON SCHEMA threads TO aeterna_threads_jobs;
GRANT SELECT ON threads.schema_version, threads.threads, threads.events, threads.runners TO aeterna_threads_jobs;
REVOKE ALL ON FUNCTION threads.create_partitions(integer), threads.drop_partition() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION threads.create_partitions(integer), threads.drop_partition() TO aeterna_threads_jobs;

DO $$
BEGIN
    IF NOT pg_catalog.pg_has_role(current_user, 'aeterna_threads_jobs', 'SET') THEN
        EXECUTE format('GRANT aeterna_threads_jobs TO %I WITH INHERIT FALSE, SET TRUE', current_user);
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN NULL;
END
$$;
