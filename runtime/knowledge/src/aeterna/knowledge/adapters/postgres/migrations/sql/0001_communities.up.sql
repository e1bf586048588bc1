-- Communities of the tenant's graph over its history, the reports on them, and what models were asked.

-- A run looked at the graph as of `seq`. `drift` edges changed since communities were last found from nothing.
CREATE TABLE knowledge.runs (
    tenant text        NOT NULL,
    seq    bigint      NOT NULL,
    at     timestamptz NOT NULL,
    levels smallint    NOT NULL,
    drift  bigint      NOT NULL,
    PRIMARY KEY (tenant, seq)
);

-- Which community a node is in, from one run's seq until before another's. A node is in one community of a level;
-- `element` is the hash of its id, which may be longer than an index takes.
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
CREATE INDEX memberships_of_community ON knowledge.memberships (tenant, community, since_seq);
CREATE UNIQUE INDEX memberships_now ON knowledge.memberships (tenant, level, element) WHERE until_seq IS NULL;

-- `report` is everything that it says, as JSON.
CREATE TABLE knowledge.reports (
    tenant    text NOT NULL,
    community text COLLATE "C" NOT NULL,
    digest    text NOT NULL,
    report    json NOT NULL,
    PRIMARY KEY (tenant, community)
);
CREATE INDEX reports_by_digest ON knowledge.reports (tenant, digest);

-- Which others a report is above, by the digests of their material; it goes with any of them. Rows and not an array:
-- under row-level security no index answers what an array holds.
CREATE TABLE knowledge.beneath (
    tenant    text NOT NULL,
    child     text NOT NULL,
    community text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, child, community),
    FOREIGN KEY (tenant, community) REFERENCES knowledge.reports (tenant, community) ON DELETE CASCADE
);
CREATE INDEX beneath_report ON knowledge.beneath (tenant, community);

-- Which units a report stands on; it goes in the transaction that takes one of them away.
CREATE TABLE knowledge.evidence (
    tenant    text NOT NULL,
    unit      text COLLATE "C" NOT NULL,
    community text COLLATE "C" NOT NULL,
    document  text NOT NULL,
    PRIMARY KEY (tenant, unit, community),
    FOREIGN KEY (tenant, community) REFERENCES knowledge.reports (tenant, community) ON DELETE CASCADE
);
CREATE INDEX evidence_of_report ON knowledge.evidence (tenant, community);

-- What a model answered, by a hash of the question; as JSON, because a model may say what no text of a database holds.
CREATE TABLE knowledge.answers (
    tenant  text NOT NULL,
    key     text NOT NULL,
    text    json NOT NULL,
    instead text,
    PRIMARY KEY (tenant, key)
);

-- Which units it was asked about; it goes with any of them. What was asked about none has one row without a name, and
-- goes with every unit.
CREATE TABLE knowledge.asked_about (
    tenant text NOT NULL,
    unit   text COLLATE "C" NOT NULL,
    key    text NOT NULL,
    PRIMARY KEY (tenant, unit, key),
    FOREIGN KEY (tenant, key) REFERENCES knowledge.answers (tenant, key) ON DELETE CASCADE
);
CREATE INDEX asked_about_by_answer ON knowledge.asked_about (tenant, key);

-- What a tenant spent on models, in a window and a day that are counted from 1970.
CREATE TABLE knowledge.spending (
    tenant        text   PRIMARY KEY,
    "window"      bigint NOT NULL,
    window_tokens bigint NOT NULL,
    day           bigint NOT NULL,
    day_tokens    bigint NOT NULL
);
