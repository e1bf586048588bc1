-- Reports, what they stand on, and what goes with a unit.

-- name: all_reports
SELECT report::text FROM knowledge.reports WHERE tenant = %(tenant)s ORDER BY community;

-- name: some_reports
SELECT community, report::text FROM knowledge.reports WHERE tenant = %(tenant)s AND community = ANY(%(communities)b);

-- name: reports_version
SELECT reports, incarnation::text FROM knowledge.ledgers WHERE tenant = %(tenant)s;

-- name: move_reports
UPDATE knowledge.ledgers SET reports = reports + 1 WHERE tenant = %(tenant)s;

-- name: remove_reports
DELETE FROM knowledge.reports WHERE tenant = %(tenant)s AND community = ANY(%(communities)b);

-- name: write_reports
INSERT INTO knowledge.reports (tenant, community, digest, report)
SELECT %(tenant)s, community, digest, report::json
FROM unnest(%(communities)b::text[], %(digests)b::text[], %(reports)b::text[]) AS new (community, digest, report);

-- name: write_beneath
INSERT INTO knowledge.beneath (tenant, child, community)
SELECT %(tenant)s, child, community
FROM unnest(%(children)b::text[], %(communities)b::text[]) AS new (child, community)
ON CONFLICT DO NOTHING;

-- name: write_evidence
INSERT INTO knowledge.evidence (tenant, unit, community, document)
SELECT %(tenant)s, unit, community, document
FROM unnest(%(units)b::text[], %(communities)b::text[], %(documents)b::text[]) AS new (unit, community, document)
ON CONFLICT DO NOTHING;

-- name: gone_units
-- Those of the units that no document has; elements are the hashes of their nodes, in the same order.
SELECT asked.unit
FROM unnest(%(units)b::text[], %(elements)b::bytea[]) AS asked (unit, element)
WHERE NOT EXISTS (
    SELECT FROM knowledge.node_parts AS part WHERE part.tenant = %(tenant)s AND part.element = asked.element
);

-- name: remove_standing_on
-- Reports that stand on one of the units, and all above them.
WITH RECURSIVE fallen (community, digest) AS (
    SELECT report.community, report.digest
    FROM knowledge.evidence AS evidence
    JOIN knowledge.reports AS report USING (tenant, community)
    WHERE evidence.tenant = %(tenant)s AND evidence.unit = ANY(%(units)b)
    UNION
    SELECT above.community, above.digest
    FROM fallen
    JOIN knowledge.beneath AS beneath ON beneath.tenant = %(tenant)s AND beneath.child = fallen.digest
    JOIN knowledge.reports AS above ON above.tenant = %(tenant)s AND above.community = beneath.community
)
DELETE FROM knowledge.reports
WHERE tenant = %(tenant)s AND community IN (SELECT community FROM fallen);

-- name: remove_above_nothing
-- Reports of which a child is not there; run until none is left.
DELETE FROM knowledge.reports AS report
USING knowledge.beneath AS beneath
WHERE report.tenant = %(tenant)s AND beneath.tenant = report.tenant AND beneath.community = report.community
  AND NOT EXISTS (
      SELECT FROM knowledge.reports AS one WHERE one.tenant = %(tenant)s AND one.digest = beneath.child
  );
