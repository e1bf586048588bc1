-- Documents, what each of them contributes to the graph, and what the graph does not show yet. Runs as the owner.

-- One row for each tenant that ever put a document. Whoever changes documents locks it, so that one transaction of a
-- tenant at a time does, and positions become visible in their own order. `incarnation` is in the names of the graph's
-- sessions: a ledger that begins again never repeats one of an earlier life.
CREATE TABLE knowledge.ledgers (
    tenant      text   PRIMARY KEY CHECK (tenant ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    incarnation uuid   NOT NULL DEFAULT gen_random_uuid(),
    position    bigint NOT NULL DEFAULT 0 CHECK (position >= 0),
    -- Moves on with every report that comes, changes or goes.
    reports     bigint NOT NULL DEFAULT 0
);

-- How far the graph shows the outbox. `planned` is the end of the slice that a publisher has begun with: whoever takes
-- over from it publishes the very same slice. A row of its own, so that publishers and writers do not wait for each other.
CREATE TABLE knowledge.publications (
    tenant    text   PRIMARY KEY,
    published bigint NOT NULL DEFAULT 0,
    planned   bigint CHECK (planned > published),
    seq       bigint NOT NULL DEFAULT 0
);

-- `number` stands for the document in the tables below, which have about sixty rows for each.
CREATE TABLE knowledge.documents (
    tenant     text        NOT NULL,
    id         text        COLLATE "C" NOT NULL CHECK (char_length(id) BETWEEN 1 AND 400),
    number     bigint      GENERATED ALWAYS AS IDENTITY,
    digest     text        NOT NULL,
    media_type text        NOT NULL,
    title      text        NOT NULL,
    -- What the spans of every citation count in. Spans of units and their headings are kept once, beside it.
    text       text        NOT NULL,
    units      text        NOT NULL,
    warnings   text[]      NOT NULL,
    put_by     text        NOT NULL,
    put_at     timestamptz NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, number)
);

-- What documents say of nodes and edges. `element` is a hash of the node's id or the edge's key, `digest` one of what is
-- said; ids may be longer than an index takes. `properties` is canonical JSON, which jsonb would not keep as it is.
-- No foreign key: it would cost as much as the rows themselves, and one statement removes them with their document.
CREATE TABLE knowledge.node_parts (
    tenant     text   NOT NULL,
    document   bigint NOT NULL,
    element    bytea  NOT NULL,
    digest     bytea  NOT NULL,
    id         text   NOT NULL,
    kind       text   NOT NULL,
    properties text   NOT NULL,
    PRIMARY KEY (tenant, element, digest, document)
);
CREATE INDEX node_parts_of_document ON knowledge.node_parts (tenant, document);

CREATE TABLE knowledge.edge_parts (
    tenant     text   NOT NULL,
    document   bigint NOT NULL,
    element    bytea  NOT NULL,
    digest     bytea  NOT NULL,
    source     text   NOT NULL,
    type       text   NOT NULL,
    target     text   NOT NULL,
    weight     float8 NOT NULL CHECK (weight > 0),
    properties text   NOT NULL,
    PRIMARY KEY (tenant, element, digest, document)
);
CREATE INDEX edge_parts_of_document ON knowledge.edge_parts (tenant, document);

-- What the graph is to show anew. `type` is null for a node, whose id is in `source`. `whole` marks the last row of
-- what belongs together, behind which a slice ends if it can.
CREATE TABLE knowledge.outbox (
    tenant   text    NOT NULL,
    position bigint  NOT NULL,
    element  bytea   NOT NULL,
    source   text    NOT NULL,
    type     text,
    target   text,
    size     integer NOT NULL,
    whole    boolean NOT NULL,
    PRIMARY KEY (tenant, position),
    CHECK ((type IS NULL) = (target IS NULL))
-- A queue: nearly all of it is dead soon, and room that was given back is taken again.
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 10000);

-- A piece of work over many documents. `cursor` is the last document that is done with, in the order of their source.
CREATE TABLE knowledge.ingestions (
    tenant      text        NOT NULL,
    id          text        NOT NULL CHECK (char_length(id) BETWEEN 1 AND 255),
    source      text        NOT NULL,
    started_by  text        NOT NULL,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz,
    total       bigint,
    mirrors     text,
    stored      bigint      NOT NULL DEFAULT 0,
    unchanged   bigint      NOT NULL DEFAULT 0,
    removed     bigint      NOT NULL DEFAULT 0,
    refused     bigint      NOT NULL DEFAULT 0,
    cursor      text,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE knowledge.refusals (
    tenant    text NOT NULL,
    ingestion text NOT NULL,
    document  text NOT NULL,
    reason    text NOT NULL,
    PRIMARY KEY (tenant, ingestion, document),
    FOREIGN KEY (tenant, ingestion) REFERENCES knowledge.ingestions (tenant, id) ON DELETE CASCADE
);
