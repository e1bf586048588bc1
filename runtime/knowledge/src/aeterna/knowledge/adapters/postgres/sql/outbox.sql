-- What the graph does not show yet, and how far it is.

-- name: lock_publisher
-- Held by the connection, not by a transaction: a slice is published while no transaction is open.
SELECT pg_advisory_lock(hashtextextended('aeterna.knowledge:' || %(tenant)s, 0));

-- name: unlock_publisher
SELECT pg_advisory_unlock(hashtextextended('aeterna.knowledge:' || %(tenant)s, 0));

-- name: begin_publication
INSERT INTO knowledge.publications (tenant) VALUES (%(tenant)s) ON CONFLICT DO NOTHING;

-- name: publication
SELECT publication.published, publication.planned, publication.seq, ledger.incarnation::text AS incarnation
FROM knowledge.publications AS publication
JOIN knowledge.ledgers AS ledger USING (tenant)
WHERE tenant = %(tenant)s;

-- name: next_slice
-- The last end of something whole within the limits; where not even one thing fits whole, as much as fits, and at least
-- one row.
SELECT coalesce(max(position) FILTER (WHERE whole AND fits), max(position) FILTER (WHERE fits), min(position)) AS upto
FROM (
    SELECT position, whole, sum(size) OVER (ORDER BY position) <= %(size)s AS fits
    FROM (
        SELECT position, whole, size FROM knowledge.outbox
        WHERE tenant = %(tenant)s AND position > %(after)s
        ORDER BY position
        LIMIT %(changes)s
    ) AS near
) AS measured;

-- name: plan
-- Whoever was thought dead and still plans finds that the slice is another one by now, and plans nothing.
UPDATE knowledge.publications SET planned = %(upto)s
WHERE tenant = %(tenant)s AND published = %(after)s AND planned IS NULL;

-- name: slice
SELECT DISTINCT ON (element) element, source, type, target
FROM knowledge.outbox
WHERE tenant = %(tenant)s AND position > %(after)s AND position <= %(upto)s;

-- name: said_of_nodes
-- Of documents that say the same only the first one matters; a node that thousands speak of is one row here.
SELECT part.element, part.digest, min(part.id) AS id, min(part.kind) AS kind, min(part.properties) AS properties,
       min(document.id) AS document
FROM (
    SELECT DISTINCT element FROM knowledge.outbox
    WHERE tenant = %(tenant)s AND position > %(after)s AND position <= %(upto)s AND type IS NULL
) AS asked
JOIN knowledge.node_parts AS part ON part.tenant = %(tenant)s AND part.element = asked.element
JOIN knowledge.documents AS document ON document.tenant = %(tenant)s AND document.number = part.document
GROUP BY part.element, part.digest;

-- name: said_of_edges
SELECT part.element, part.digest, part.source, part.type, part.target, part.weight, part.properties, document.id
FROM (
    SELECT DISTINCT element FROM knowledge.outbox
    WHERE tenant = %(tenant)s AND position > %(after)s AND position <= %(upto)s AND type IS NOT NULL
) AS asked
JOIN knowledge.edge_parts AS part ON part.tenant = %(tenant)s AND part.element = asked.element
JOIN knowledge.documents AS document ON document.tenant = %(tenant)s AND document.number = part.document;

-- name: published
UPDATE knowledge.publications SET published = %(upto)s, planned = NULL, seq = greatest(seq, %(seq)s)
WHERE tenant = %(tenant)s AND published = %(after)s AND planned = %(upto)s;

-- name: clear_outbox
DELETE FROM knowledge.outbox WHERE tenant = %(tenant)s AND position <= %(upto)s;

-- name: begin_again
UPDATE knowledge.ledgers SET incarnation = gen_random_uuid() WHERE tenant = %(tenant)s;

-- name: all_nodes
INSERT INTO knowledge.outbox (tenant, position, element, source, size, whole)
SELECT %(tenant)s, %(position)s + row_number() OVER (ORDER BY element), element, id, size, false
FROM (
    SELECT element, id, max(octet_length(properties)) AS size FROM knowledge.node_parts
    WHERE tenant = %(tenant)s GROUP BY element, id
) AS node;

-- name: all_edges
INSERT INTO knowledge.outbox (tenant, position, element, source, type, target, size, whole)
SELECT %(tenant)s, %(position)s + row_number() OVER (ORDER BY element), element, source, type, target, size, false
FROM (
    SELECT element, source, type, target, max(octet_length(properties)) AS size FROM knowledge.edge_parts
    WHERE tenant = %(tenant)s GROUP BY element, source, type, target
) AS edge;
