-- Searching what plain threads say, as the tenant who asks; and, as a job, keeping the index of it.

-- name: search_is_patient
SELECT set_config('statement_timeout', least(setting::integer, 3000)::text, true)
FROM pg_settings WHERE name = 'statement_timeout' AND setting::integer > 0;

-- name: search_asks
-- Whether the query names anything to look for, and since when what was said can be found.
SELECT threads.search_keys(%(tenant)s, %(query)s) IS NOT NULL AS asks, threads.searchable_until() AS until;

-- name: search_messages
-- What the index says may be a hit is read in the log, which row-level security guards and where nothing is that was erased; and
-- there it is asked whether it is a hit. A place to go on from is none.
SELECT found.thread_id, found.seq, found.created_at, found.hit, one.author, one.role,
    ts_headline(
        'pg_catalog.simple', one.said, websearch_to_tsquery('pg_catalog.simple', %(query)s),
        'StartSel="", StopSel="", MaxFragments=2, MaxWords=24, MinWords=8, ShortWord=0, FragmentDelimiter=" … "'
    ) AS snippet
FROM threads.search_log(
    %(tenant)s, %(query)s, %(within)s, coalesce(%(since)s, timestamptz '-infinity'), coalesce(%(at)s, timestamptz 'infinity'),
    %(thread_id)s, %(seq)s, %(candidates)s
) WITH ORDINALITY AS found (thread_id, seq, created_at, hit, number)
LEFT JOIN LATERAL threads.search_said(%(tenant)s, found.thread_id, found.seq, %(query)s) AS one ON found.hit
ORDER BY found.number;

-- name: index_alone
SELECT pg_try_advisory_xact_lock(hashtextextended('aeterna.threads.search', 0)) AS alone;

-- name: index_started
SELECT clock_timestamp() AS now, swept_until FROM threads.search_progress;

-- name: not_indexed
-- Plain threads that were written to lately and whose last message has not been looked at. A write is committed at most a minute
-- after its time: no statement and no idle transaction of the service may last as long.
SELECT thread.tenant, thread.thread_id
FROM threads.threads AS thread
WHERE thread.updated_at >= coalesce(%(since)s, timestamptz '-infinity') - interval '1 minute' AND thread.agent IS NULL
  AND (thread.expires_at IS NULL OR thread.expires_at > clock_timestamp())
  AND thread.last_seq > coalesce((
      SELECT document.seq FROM threads.search_documents AS document
      WHERE document.tenant = thread.tenant AND document.thread_id = thread.thread_id
      ORDER BY document.seq DESC LIMIT 1
  ), 0)
LIMIT %(limit)s;

-- name: lock_to_index
-- Appends go on; who erases waits, and who was erasing is waited for by the next round.
SELECT thread.tenant, thread.thread_id, thread.born
FROM unnest(%(tenants)s::text[], %(threads)s::text[]) AS given (tenant, thread_id)
JOIN threads.threads AS thread ON thread.tenant = given.tenant AND thread.thread_id = given.thread_id
FOR KEY SHARE OF thread SKIP LOCKED;

-- name: index_messages
INSERT INTO threads.search_documents (tenant, thread_id, seq, created_at, words)
SELECT given.tenant, given.thread_id, event.seq, event.created_at,
    CASE WHEN event.kind = 'message' THEN threads.search_words(given.tenant, event.parts) ELSE '' END
FROM unnest(%(tenants)s::text[], %(threads)s::text[], %(days)s::date[]) AS given (tenant, thread_id, born)
CROSS JOIN LATERAL (
    SELECT log.seq, log.created_at, log.kind, log.parts
    FROM threads.events AS log
    WHERE log.born = given.born AND log.tenant = given.tenant AND log.thread_id = given.thread_id
      AND log.seq > coalesce((
          SELECT document.seq FROM threads.search_documents AS document
          WHERE document.tenant = given.tenant AND document.thread_id = given.thread_id
          ORDER BY document.seq DESC LIMIT 1
      ), 0)
    ORDER BY log.seq
    LIMIT %(messages)s
) AS event
ON CONFLICT DO NOTHING;

-- name: index_swept
UPDATE threads.search_progress SET swept_until = %(until)s;
