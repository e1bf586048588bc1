-- Threads and their messages, apart by tenant. Runs as the schema's owner, inside the schema `threads`.

-- The role that the service acts as. Roles belong to the whole server, so another database may have made it already.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'aeterna_threads') THEN
        CREATE ROLE aeterna_threads NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOBYPASSRLS;
    END IF;
EXCEPTION
    -- Two databases of one server were migrated at the same time, and the other one was first.
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

CREATE TABLE threads.threads (
    tenant     text        NOT NULL CHECK (tenant ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    thread_id  text        NOT NULL CHECK (char_length(thread_id) BETWEEN 1 AND 255),
    title      text        CHECK (char_length(title) BETWEEN 1 AND 255),
    -- json rather than jsonb: a number or a key order that comes in goes out the same.
    metadata   json        NOT NULL DEFAULT '{}',
    digest     bytea       NOT NULL CHECK (octet_length(digest) = 32),
    created_by text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seq   bigint      NOT NULL DEFAULT 0 CHECK (last_seq >= 0),
    version    bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    PRIMARY KEY (tenant, thread_id)
)
-- Every append updates the thread's row: room on the page keeps that an in-place (HOT) update.
WITH (fillfactor = 70);

CREATE INDEX threads_newest_first ON threads.threads (tenant, created_at DESC, thread_id DESC);

CREATE TABLE threads.messages (
    tenant     text        NOT NULL,
    thread_id  text        NOT NULL,
    seq        bigint      NOT NULL CHECK (seq >= 1),
    message_id text        NOT NULL CHECK (char_length(message_id) BETWEEN 1 AND 255),
    role       text        NOT NULL CHECK (role IN ('user', 'agent')),
    parts      json        NOT NULL,
    metadata   json        NOT NULL DEFAULT '{}',
    digest     bytea       NOT NULL CHECK (octet_length(digest) = 32),
    author     text        NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, thread_id, seq),
    UNIQUE (tenant, thread_id, message_id),
    FOREIGN KEY (tenant, thread_id) REFERENCES threads.threads (tenant, thread_id) ON DELETE CASCADE
);

-- FORCE binds the owner too. Where no tenant is set, current_setting is null or empty, and no row has such a tenant.
ALTER TABLE threads.threads ENABLE ROW LEVEL SECURITY;
ALTER TABLE threads.threads FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_of_the_transaction ON threads.threads
    USING (tenant = current_setting('aeterna.tenant', true))
    WITH CHECK (tenant = current_setting('aeterna.tenant', true));

ALTER TABLE threads.messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE threads.messages FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_of_the_transaction ON threads.messages
    USING (tenant = current_setting('aeterna.tenant', true))
    WITH CHECK (tenant = current_setting('aeterna.tenant', true));

-- Messages are append only: the service's role can neither change nor delete one.
GRANT USAGE ON SCHEMA threads TO aeterna_threads;
GRANT SELECT ON threads.schema_version TO aeterna_threads;
GRANT SELECT, INSERT, UPDATE (last_seq, version, updated_at) ON threads.threads TO aeterna_threads;
GRANT SELECT, INSERT ON threads.messages TO aeterna_threads;

-- Where one login both migrates and serves, it must be able to become the role. (PostgreSQL 16 and later give the
-- creator of a role the right to grant it, and not the right to become it.)
DO $$
BEGIN
    IF NOT pg_catalog.pg_has_role(current_user, 'aeterna_threads', 'SET') THEN
        EXECUTE format('GRANT aeterna_threads TO %I WITH INHERIT FALSE, SET TRUE', current_user);
    END IF;
EXCEPTION
    -- An administrator made the role beforehand and decides who may become it.
    WHEN insufficient_privilege THEN NULL;
END
$$;
