-- Tasks: threads whose log holds more than messages, run by agents under a lease. The log is partitioned by the day on which
-- its thread was born, so that what has expired is dropped rather than deleted.

ALTER TABLE threads.threads
    -- The partition of the thread's log: never changes. The default is the day of the threads from before this revision.
    ADD COLUMN born        date        NOT NULL DEFAULT DATE '1970-01-01',
    ADD COLUMN agent       text        CHECK (char_length(agent) BETWEEN 1 AND 255),
    ADD COLUMN context_id  text        CHECK (char_length(context_id) BETWEEN 1 AND 255),
    ADD COLUMN state       text        CHECK (state ~ '^TASK_STATE_[A-Z_]+$'),
    ADD COLUMN status      json,
    ADD COLUMN task_metadata json,
    -- When the state last changed; the order of listings. Indexed, so it must not change with each row.
    ADD COLUMN status_at   timestamptz,
    ADD COLUMN ttl         interval,
    -- At least `ttl` after the last write. Moved in steps of an eighth of it, because it is indexed.
    ADD COLUMN expires_at  timestamptz,
    ADD COLUMN epoch       bigint      NOT NULL DEFAULT 0 CHECK (epoch >= 0),
    ADD COLUMN runner      text,
    -- A message of the user waits for a runner, since when.
    ADD COLUMN waiting     boolean     NOT NULL DEFAULT false,
    ADD COLUMN waiting_since timestamptz,
    ADD COLUMN handled_seq bigint      NOT NULL DEFAULT 0,
    ADD COLUMN attempts    integer     NOT NULL DEFAULT 0,
    ADD COLUMN last_write  text,
    ADD COLUMN bytes       bigint      NOT NULL DEFAULT 0;

CREATE INDEX threads_waiting ON threads.threads (tenant, agent, waiting_since) WHERE waiting;
CREATE INDEX threads_expiring ON threads.threads (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX threads_tasks ON threads.threads (tenant, agent, created_by, status_at DESC, thread_id DESC)
    WHERE state IS NOT NULL;

CREATE TABLE threads.events (
    born        date        NOT NULL,
    tenant      text        NOT NULL,
    thread_id   text        NOT NULL,
    seq         bigint      NOT NULL CHECK (seq >= 1),
    kind        text        NOT NULL CHECK (kind IN ('message', 'task', 'status', 'artifact', 'reply')),
    streamed    boolean     NOT NULL DEFAULT false,
    said        boolean     NOT NULL DEFAULT false,
    message_id  text        CHECK (char_length(message_id) BETWEEN 1 AND 255),
    role        text        CHECK (role IN ('user', 'agent')),
    parts       json,
    metadata    json,
    extra       json,
    payload     json,
    artifact_id text,
    append      boolean     NOT NULL DEFAULT false,
    digest      bytea       CHECK (octet_length(digest) = 32),
    author      text        NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant, thread_id, seq, born)
) PARTITION BY RANGE (born);

CREATE UNIQUE INDEX events_message_id ON threads.events (tenant, thread_id, message_id, born) WHERE message_id IS NOT NULL;
CREATE INDEX events_said ON threads.events (tenant, thread_id, seq) WHERE said;

CREATE TABLE threads.runners (
    tenant     text        NOT NULL,
    agent      text        NOT NULL,
    runner     text        NOT NULL CHECK (char_length(runner) BETWEEN 1 AND 255),
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, agent, runner)
)
WITH (fillfactor = 50);

CREATE TABLE threads.steps (
    tenant      text        NOT NULL,
    thread_id   text        NOT NULL,
    key         text        NOT NULL CHECK (char_length(key) BETWEEN 1 AND 255),
    fingerprint text        NOT NULL,
    epoch       bigint      NOT NULL,
    finished    boolean     NOT NULL DEFAULT false,
    result      json,
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    PRIMARY KEY (tenant, thread_id, key),
    FOREIGN KEY (tenant, thread_id) REFERENCES threads.threads (tenant, thread_id) ON DELETE CASCADE
);
