-- Communities of the tenant's graph over its history, and the reports on them.

-- A run looked at the graph as of `seq`.
CREATE TABLE knowledge.runs (
    tenant text        NOT NULL,
    seq    bigint      NOT NULL,
    at     timestamptz NOT NULL,
    facts  json        NOT NULL,
    PRIMARY KEY (tenant, seq)
);

-- Which community a node is in, from one run's seq until before another's. A node is in one community of a level.
CREATE TABLE knowledge.memberships (
    tenant    text     NOT NULL,
    level     smallint NOT NULL,
    element   bytea    NOT NULL,
    node      text     NOT NULL,
    community text     COLLATE "C" NOT NULL,
    since_seq bigint   NOT NULL,
    until_seq bigint   CHECK (until_seq > since_seq),
    PRIMARY KEY (tenant, element, level, since_seq)
);
CREATE INDEX memberships_of_community ON knowledge.memberships (tenant, community, level, since_seq);
CREATE INDEX memberships_now ON knowledge.memberships (tenant, level) WHERE until_seq IS NULL;

-- A report is found by what it was made of. `report` is everything that it says, as JSON.
CREATE TABLE knowledge.reports (
    tenant    text        NOT NULL,
    community text        COLLATE "C" NOT NULL,
    level     smallint    NOT NULL,
    digest    text        NOT NULL,
    report    json        NOT NULL,
    made_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant, community)
);
CREATE INDEX reports_by_digest ON knowledge.reports (tenant, digest);

-- Which units a report stands on; a report goes in the transaction that takes one of them away.
CREATE TABLE knowledge.evidence (
    tenant    text NOT NULL,
    unit      text COLLATE "C" NOT NULL,
    community text COLLATE "C" NOT NULL,
    document  text NOT NULL,
    PRIMARY KEY (tenant, unit, community),
    FOREIGN KEY (tenant, community) REFERENCES knowledge.reports (tenant, community) ON DELETE CASCADE
);
CREATE INDEX evidence_of_report ON knowledge.evidence (tenant, community);
