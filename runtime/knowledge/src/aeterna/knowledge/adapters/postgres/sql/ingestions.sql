-- Pieces of work over many documents.

-- name: begin_ingestion
INSERT INTO knowledge.ingestions (tenant, id, source, started_by, started_at, total, mirrors)
VALUES (%(tenant)s, %(id)s, %(source)s, %(started_by)s, %(started_at)s, %(total)s, %(mirrors)s)
ON CONFLICT DO NOTHING;

-- name: ingestion
SELECT id, source, started_by, started_at, finished_at, total, mirrors, stored, unchanged, removed, refused, cursor
FROM knowledge.ingestions
WHERE tenant = %(tenant)s AND id = %(id)s;

-- name: advance
-- Answers with a row where the step was made now, and with none where somebody has gone further or done the same.
UPDATE knowledge.ingestions SET
    cursor = %(after)s, stored = stored + %(stored)s, unchanged = unchanged + %(unchanged)s,
    removed = removed + %(removed)s, refused = refused + %(refused)s
WHERE tenant = %(tenant)s AND id = %(id)s AND finished_at IS NULL AND cursor IS NOT DISTINCT FROM %(before)s
RETURNING id;

-- name: write_refusals
INSERT INTO knowledge.refusals (tenant, ingestion, document, reason)
SELECT %(tenant)s, %(id)s, document, reason
FROM unnest(%(documents)b::text[], %(reasons)b::text[]) AS refused (document, reason)
ON CONFLICT DO NOTHING;

-- name: refusals
SELECT document, reason FROM knowledge.refusals
WHERE tenant = %(tenant)s AND ingestion = %(id)s
ORDER BY document COLLATE "C";

-- name: finish
UPDATE knowledge.ingestions SET finished_at = coalesce(finished_at, %(at)s)
WHERE tenant = %(tenant)s AND id = %(id)s;
