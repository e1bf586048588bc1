-- Search in what plain threads say. An index beside the log, which a job fills a moment after an append, so that an append costs
-- what it cost before. It holds no words: each is hashed together with its tenant, and what is found is read again in the log.

-- Both at once and in this order, which is the one of who writes: a foreign key and a trigger are added in a moment.
LOCK TABLE threads.threads, threads.events IN SHARE ROW EXCLUSIVE MODE;

CREATE TABLE threads.search_documents (
    tenant     text        NOT NULL,
    thread_id  text        NOT NULL,
    seq        bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    -- Keys in the place of words. Hashed by tenant, the same word of two tenants is two entries of the index.
    words      tsvector    NOT NULL,
    PRIMARY KEY (tenant, thread_id, seq),
    FOREIGN KEY (tenant, thread_id) REFERENCES threads.threads (tenant, thread_id) ON DELETE CASCADE
);
CREATE INDEX search_documents_newest ON threads.search_documents (tenant, created_at DESC, thread_id DESC, seq DESC);
CREATE INDEX search_documents_words ON threads.search_documents USING gin (words);

-- One row: whatever was committed before this time can be found. Null until everything was looked at once.
CREATE TABLE threads.search_progress (
    single      boolean PRIMARY KEY DEFAULT true CHECK (single),
    swept_until timestamptz
);
INSERT INTO threads.search_progress DEFAULT VALUES;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['search_documents', 'search_progress'] LOOP
        EXECUTE format('ALTER TABLE threads.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE threads.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY jobs_of_every_tenant ON threads.%I TO aeterna_threads_jobs USING (true) WITH CHECK (true)', name);
        -- For the functions below, which name the tenant themselves. A condition of a policy comes before one that might tell what
        -- it saw, as @@ might; so with one, the index of words would never be used.
        EXECUTE format('CREATE POLICY search_of_the_owner ON threads.%I TO CURRENT_USER USING (true) WITH CHECK (true)', name);
    END LOOP;
END
$$;

-- Who serves reads neither of the tables: only what the functions below find for the tenant of the transaction.
GRANT SELECT, INSERT ON threads.search_documents TO aeterna_threads_jobs;
GRANT SELECT, UPDATE (swept_until) ON threads.search_progress TO aeterna_threads_jobs;

-- What of a message can be searched: its texts, up to a length at which one message costs what a hundred do.
CREATE FUNCTION threads.search_text(p_parts json) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT left(string_agg(part.value ->> 'text', E'\n' ORDER BY part.ordinality), 65536)
    FROM json_array_elements(p_parts) WITH ORDINALITY AS part
    WHERE part.value ->> 'kind' = 'text'
$$;

CREATE FUNCTION threads.search_key(p_tenant text, p_word text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_hex(hashtextextended(p_word, hashtextextended(p_tenant, 0)) & 4294967295)
$$;

CREATE FUNCTION threads.search_words(p_tenant text, p_parts json) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_to_tsvector(array_agg(DISTINCT threads.search_key(p_tenant, word))), ''::tsvector)
    FROM unnest(tsvector_to_array(to_tsvector('pg_catalog.simple', coalesce(threads.search_text(p_parts), '')))) AS word
$$;

-- What a message must hold to be looked at: the query without what it excludes, without the order of its words, and in keys.
-- Null where nothing is left to look for.
CREATE FUNCTION threads.search_keys(p_tenant text, p_query text) RETURNS tsquery
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    tree CONSTANT text := querytree(websearch_to_tsquery('pg_catalog.simple', p_query));
BEGIN
    IF coalesce(tree, '') IN ('', 'T') THEN
        RETURN NULL;
    END IF;
    RETURN (
        SELECT string_agg(
            CASE WHEN token.text[1] LIKE '''%'
                THEN '''' || threads.search_key(
                    p_tenant,
                    replace(replace(substr(token.text[1], 2, length(token.text[1]) - 2), '''''', ''''), '\\', '\')
                ) || ''''
                ELSE regexp_replace(token.text[1], '<(-|\d+)>', '&', 'g')
            END, '' ORDER BY token.ordinality)
        FROM regexp_matches(tree, '''(?:[^'']|'''')*''|[^'']+', 'g') WITH ORDINALITY AS token (text, ordinality)
    )::tsquery;
END
$$;

-- The newest messages before a place, so many of them, and whether each is one to look at. Costs what reading so many costs.
CREATE FUNCTION threads.search_newest(
    p_tenant text, p_keys tsquery, p_since timestamptz, p_at timestamptz, p_thread text, p_seq bigint, p_most integer
) RETURNS TABLE (thread_id text, seq bigint, created_at timestamptz, hit boolean)
LANGUAGE sql STABLE SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
    SELECT thread_id, seq, created_at, words @@ p_keys
    FROM threads.search_documents
    WHERE tenant = p_tenant AND created_at >= p_since AND (created_at, thread_id, seq) < (p_at, p_thread, p_seq)
    ORDER BY created_at DESC, thread_id DESC, seq DESC
    LIMIT p_most
$$;

-- The same of one thread, in which time does not run backward.
CREATE FUNCTION threads.search_thread(
    p_tenant text, p_keys tsquery, p_since timestamptz, p_thread text, p_seq bigint, p_most integer
) RETURNS TABLE (thread_id text, seq bigint, created_at timestamptz, hit boolean)
LANGUAGE sql STABLE SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
    SELECT thread_id, seq, created_at, words @@ p_keys
    FROM threads.search_documents
    WHERE tenant = p_tenant AND thread_id = p_thread AND seq < p_seq AND created_at >= p_since
    ORDER BY tenant DESC, thread_id DESC, seq DESC
    LIMIT p_most
$$;

-- Any messages that hold the keys, so many of them: by the index of words, in no order.
CREATE FUNCTION threads.search_rare(p_tenant text, p_keys tsquery, p_most integer)
RETURNS TABLE (thread_id text, seq bigint, created_at timestamptz)
LANGUAGE sql STABLE SET enable_seqscan = off SET enable_indexscan = off SET enable_indexonlyscan = off AS $$
    SELECT thread_id, seq, created_at FROM (
        SELECT tenant, thread_id, seq, created_at FROM threads.search_documents WHERE words @@ p_keys LIMIT p_most
    ) AS found
    WHERE tenant = p_tenant
$$;

-- The messages to look at, newest first, from a place on; and last, if there may be more, the place from which to go on, which is
-- no hit. Bounded whatever is asked for: a word that is in many messages is soon found among the newest, one that is in few by the
-- index of words, and between the two a page ends early rather than late.
CREATE FUNCTION threads.search_log(
    p_tenant text, p_query text, p_within text, p_since timestamptz, p_at timestamptz, p_thread text, p_seq bigint, p_limit integer
) RETURNS TABLE (thread_id text, seq bigint, created_at timestamptz, hit boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    most_rare CONSTANT integer := 5000;
    keys CONSTANT tsquery := threads.search_keys(p_tenant, p_query);
    found integer := 0;
    walked integer;
    step integer;
    d record;
BEGIN
    IF p_tenant IS DISTINCT FROM current_setting('aeterna.tenant', true) THEN
        RAISE insufficient_privilege USING MESSAGE = 'the transaction is of another tenant';
    END IF;
    IF keys IS NULL THEN
        RETURN;
    END IF;
    FOREACH step IN ARRAY ARRAY[1000, 20000] LOOP
        walked := 0;
        FOR d IN
            SELECT * FROM threads.search_newest(p_tenant, keys, p_since, p_at, p_thread, p_seq, step) WHERE p_within IS NULL
            UNION ALL
            SELECT * FROM threads.search_thread(p_tenant, keys, p_since, p_within, p_seq, step) WHERE p_within IS NOT NULL
        LOOP
            walked := walked + 1;
            thread_id := d.thread_id; seq := d.seq; created_at := d.created_at; hit := true;
            CONTINUE WHEN NOT d.hit;
            RETURN NEXT;
            found := found + 1;
            IF found = p_limit THEN
                hit := false;
                RETURN NEXT;
                RETURN;
            END IF;
        END LOOP;
        IF walked < step THEN
            RETURN;
        END IF;
        p_at := created_at; p_thread := thread_id; p_seq := seq;
        IF step = 1000 AND p_within IS NULL
            AND (SELECT count(*) FROM threads.search_rare(p_tenant, keys, most_rare + 1)) <= most_rare
        THEN
            FOR d IN
                SELECT rare.thread_id, rare.seq, rare.created_at
                FROM threads.search_rare(p_tenant, keys, most_rare + 1) AS rare
                WHERE rare.created_at >= p_since AND (rare.created_at, rare.thread_id, rare.seq) < (p_at, p_thread, p_seq)
                ORDER BY rare.created_at DESC, rare.thread_id DESC, rare.seq DESC
                LIMIT p_limit - found
            LOOP
                thread_id := d.thread_id; seq := d.seq; created_at := d.created_at; hit := true;
                RETURN NEXT;
                found := found + 1;
            END LOOP;
            IF found = p_limit THEN
                hit := false;
                RETURN NEXT;
            END IF;
            RETURN;
        END IF;
    END LOOP;
    hit := false;
    RETURN NEXT;
END
$$;

-- What a message says, if it is there for who asks, and is a hit. Runs with the rights of its caller, whom row-level security binds.
-- A function of its own, so that it is looked up message by message, whatever the planner thinks of the log.
CREATE FUNCTION threads.search_said(p_tenant text, p_thread text, p_seq bigint, p_query text)
RETURNS TABLE (author text, role text, said text)
LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
DECLARE
    day date;
BEGIN
    SELECT thread.born INTO day FROM threads.threads AS thread
    WHERE thread.tenant = p_tenant AND thread.thread_id = p_thread AND thread.agent IS NULL
      AND (thread.expires_at IS NULL OR thread.expires_at > clock_timestamp());
    RETURN QUERY
        SELECT event.author, event.role, threads.search_text(event.parts)
        FROM threads.events AS event
        WHERE event.born = day AND event.tenant = p_tenant AND event.thread_id = p_thread AND event.seq = p_seq
          AND event.kind = 'message'
          AND to_tsvector('pg_catalog.simple', threads.search_text(event.parts))
              @@ websearch_to_tsquery('pg_catalog.simple', p_query);
END
$$;

CREATE FUNCTION threads.searchable_until() RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT swept_until FROM threads.search_progress
$$;

-- A row of the log only ever changes when it is erased. Then nothing of what it said is left here either.
CREATE FUNCTION threads.forget_words() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE threads.search_documents AS document SET words = ''
    WHERE document.tenant = NEW.tenant AND document.thread_id = NEW.thread_id AND document.seq = NEW.seq;
    RETURN NULL;
END
$$;
CREATE TRIGGER forget_words AFTER UPDATE ON threads.events FOR EACH ROW EXECUTE FUNCTION threads.forget_words();

REVOKE EXECUTE ON FUNCTION threads.search_log, threads.searchable_until, threads.forget_words FROM PUBLIC;
GRANT EXECUTE ON FUNCTION threads.search_log, threads.searchable_until TO aeterna_threads;
