-- Which communities nodes are in, over the history of the graph.

-- name: lock_run
-- Held by the connection while a run looks for communities, which takes longer than a transaction may.
SELECT pg_advisory_lock(hashtextextended('aeterna.knowledge.run:' || %(tenant)s, 0));

-- name: unlock_run
SELECT pg_advisory_unlock(hashtextextended('aeterna.knowledge.run:' || %(tenant)s, 0));

-- name: lock_runs
-- Until the transaction ends: of two who record at once, one finds what the other wrote.
SELECT pg_advisory_xact_lock(hashtextextended('aeterna.knowledge.runs:' || %(tenant)s, 0));

-- name: write_run
INSERT INTO knowledge.runs (tenant, seq, at, levels, drift) VALUES (%(tenant)s, %(seq)s, %(at)s, %(levels)s, %(drift)s);

-- name: run_before
-- The run that tells of a seq: the newest one that is not later.
SELECT seq, at, levels, drift FROM knowledge.runs
WHERE tenant = %(tenant)s AND seq <= %(seq)s
ORDER BY seq DESC
LIMIT 1;

-- name: end_memberships
UPDATE knowledge.memberships AS held SET until_seq = %(seq)s
WHERE held.tenant = %(tenant)s AND held.level = %(level)s AND held.until_seq IS NULL
  AND NOT EXISTS (
      SELECT FROM unnest(%(elements)b::bytea[], %(communities)b::text[]) AS new (element, community)
      WHERE new.element = held.element AND new.community = held.community
  );

-- name: begin_memberships
INSERT INTO knowledge.memberships (tenant, level, element, node, community, since_seq)
SELECT %(tenant)s, %(level)s, new.element, new.node, new.community, %(seq)s
FROM unnest(%(elements)b::bytea[], %(nodes)b::text[], %(communities)b::text[]) AS new (element, node, community)
WHERE NOT EXISTS (
    SELECT FROM knowledge.memberships AS held
    WHERE held.tenant = %(tenant)s AND held.level = %(level)s AND held.element = new.element
      AND held.until_seq IS NULL
);

-- name: end_levels
UPDATE knowledge.memberships SET until_seq = %(seq)s
WHERE tenant = %(tenant)s AND level >= %(levels)s AND until_seq IS NULL;

-- name: memberships_at
SELECT level, node, community FROM knowledge.memberships
WHERE tenant = %(tenant)s AND since_seq <= %(seq)s AND (until_seq IS NULL OR until_seq > %(seq)s);

-- name: communities_of
SELECT community FROM knowledge.memberships
WHERE tenant = %(tenant)s AND element = %(element)s AND since_seq <= %(seq)s
  AND (until_seq IS NULL OR until_seq > %(seq)s)
ORDER BY level;

-- name: members_of
SELECT DISTINCT node COLLATE "C" FROM knowledge.memberships
WHERE tenant = %(tenant)s AND community = %(community)s AND since_seq <= %(seq)s
  AND (until_seq IS NULL OR until_seq > %(seq)s)
ORDER BY 1;
