-- Documents and what they contribute. Row-level security hides what is another tenant's.

-- name: begin_ledger
INSERT INTO knowledge.ledgers (tenant) VALUES (%(tenant)s) ON CONFLICT DO NOTHING;

-- name: lock_ledger
-- A statement of its own: the next one's snapshot is then taken after the lock was won.
SELECT position FROM knowledge.ledgers WHERE tenant = %(tenant)s FOR UPDATE;

-- name: move_ledger
UPDATE knowledge.ledgers SET position = position + %(count)s WHERE tenant = %(tenant)s;

-- name: digests
SELECT id, digest FROM knowledge.documents WHERE tenant = %(tenant)s AND id = ANY(%(ids)b);

-- name: found
SELECT id, number, digest FROM knowledge.documents WHERE tenant = %(tenant)s AND id = ANY(%(ids)b);

-- name: document
SELECT id, digest, media_type, title, text, units, warnings, put_by, put_at
FROM knowledge.documents
WHERE tenant = %(tenant)s AND id = %(id)s;

-- name: documents
SELECT id FROM knowledge.documents
WHERE tenant = %(tenant)s AND id > %(after)s AND id >= %(prefix)s AND id <= %(prefix)s || chr(1114111)
ORDER BY id
LIMIT %(limit)s;

-- name: write_documents
-- Warnings come as a text of JSON, because arrays of arrays would all have to be of one length.
INSERT INTO knowledge.documents (tenant, id, digest, media_type, title, text, units, warnings, put_by, put_at)
SELECT %(tenant)s, id, digest, media_type, title, text, units,
       ARRAY(SELECT json_array_elements_text(warnings::json)), %(by)s, %(at)s
FROM unnest(%(ids)b::text[], %(digests)b::text[], %(media_types)b::text[], %(titles)b::text[], %(texts)b::text[],
            %(units)b::text[], %(warnings)b::text[])
     AS new (id, digest, media_type, title, text, units, warnings)
ON CONFLICT (tenant, id) DO UPDATE SET
    digest = excluded.digest, media_type = excluded.media_type, title = excluded.title, text = excluded.text,
    units = excluded.units, warnings = excluded.warnings, put_by = excluded.put_by, put_at = excluded.put_at
RETURNING id, number;

-- name: remove_documents
DELETE FROM knowledge.documents WHERE tenant = %(tenant)s AND number = ANY(%(numbers)b);

-- name: node_parts_of
SELECT document, element, digest, id FROM knowledge.node_parts
WHERE tenant = %(tenant)s AND document = ANY(%(numbers)b);

-- name: edge_parts_of
SELECT document, element, digest, source, type, target FROM knowledge.edge_parts
WHERE tenant = %(tenant)s AND document = ANY(%(numbers)b);

-- name: remove_node_parts
DELETE FROM knowledge.node_parts AS part
USING unnest(%(elements)b::bytea[], %(digests)b::bytea[], %(documents)b::bigint[]) AS gone (element, digest, document)
WHERE part.tenant = %(tenant)s AND part.element = gone.element AND part.digest = gone.digest
  AND part.document = gone.document;

-- name: remove_edge_parts
DELETE FROM knowledge.edge_parts AS part
USING unnest(%(elements)b::bytea[], %(digests)b::bytea[], %(documents)b::bigint[]) AS gone (element, digest, document)
WHERE part.tenant = %(tenant)s AND part.element = gone.element AND part.digest = gone.digest
  AND part.document = gone.document;

-- name: write_node_parts
INSERT INTO knowledge.node_parts (tenant, document, element, digest, id, kind, properties)
SELECT %(tenant)s, *
FROM unnest(%(documents)b::bigint[], %(elements)b::bytea[], %(digests)b::bytea[], %(ids)b::text[], %(kinds)b::text[],
            %(properties)b::text[]);

-- name: write_edge_parts
INSERT INTO knowledge.edge_parts (tenant, document, element, digest, source, type, target, weight, properties)
SELECT %(tenant)s, *
FROM unnest(%(documents)b::bigint[], %(elements)b::bytea[], %(digests)b::bytea[], %(sources)b::text[],
            %(types)b::text[], %(targets)b::text[], %(weights)b::float8[], %(properties)b::text[]);

-- name: settled_nodes
-- Those of the nodes of which every document says the same and this: one document more or less, and the graph shows
-- what it showed. Each is answered by the ends of an index, however many documents speak of it.
SELECT asked.element
FROM unnest(%(elements)b::bytea[], %(digests)b::bytea[]) AS asked (element, digest)
CROSS JOIN LATERAL (
    SELECT digest FROM knowledge.node_parts
    WHERE tenant = %(tenant)s AND element = asked.element ORDER BY digest LIMIT 1
) AS lowest
CROSS JOIN LATERAL (
    SELECT digest FROM knowledge.node_parts
    WHERE tenant = %(tenant)s AND element = asked.element ORDER BY digest DESC LIMIT 1
) AS highest
WHERE lowest.digest = asked.digest AND highest.digest = asked.digest;

-- name: write_outbox
INSERT INTO knowledge.outbox (tenant, position, element, source, type, target, size, whole)
SELECT %(tenant)s, %(position)s + row.number, row.element, row.source, row.type, row.target, row.size, row.whole
FROM unnest(%(elements)b::bytea[], %(sources)b::text[], %(types)b::text[], %(targets)b::text[], %(sizes)b::integer[],
            %(wholes)b::boolean[])
     WITH ORDINALITY AS row (element, source, type, target, size, whole, number);
