-- Versions of the policies, which of them was deployed when, and the audit. Runs as the schema's owner.

-- The role that the service acts as. Roles belong to the whole server, so another database may have made it already.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'aeterna_policies') THEN
        CREATE ROLE aeterna_policies NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOBYPASSRLS;
    END IF;
EXCEPTION
    -- Two databases of one server were migrated at the same time, and the other one was first.
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

CREATE TABLE policies.versions (
    number         bigint      PRIMARY KEY CHECK (number >= 1),
    tenant         text        NOT NULL CHECK (tenant ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    author         text        NOT NULL,
    message        text        NOT NULL,
    created_at     timestamptz NOT NULL,
    digest         text        NOT NULL CHECK (digest ~ '^sha256:[0-9a-f]{64}$'),
    base           bigint      NOT NULL CHECK (base >= 0 AND base < number),
    restores       bigint      CHECK (restores < number),
    -- json rather than jsonb: what comes in goes out the same, and a report is not searched.
    files          json        NOT NULL,
    report         json        NOT NULL,
    request_key    text        NOT NULL CHECK (char_length(request_key) BETWEEN 1 AND 255),
    request_digest bytea       NOT NULL CHECK (octet_length(request_digest) = 32),
    UNIQUE (tenant, request_key)
);

-- A version is deployed at most once, and each deployment is of a higher number than the one before: the deployed
-- version is the highest here. The tenant is that of the version.
CREATE TABLE policies.deployments (
    number      bigint      PRIMARY KEY REFERENCES policies.versions (number),
    previous    bigint      NOT NULL UNIQUE CHECK (previous >= 0 AND previous < number),
    tenant      text        NOT NULL,
    deployed_by text        NOT NULL,
    deployed_at timestamptz NOT NULL
);

CREATE TABLE policies.audit (
    seq    bigint      PRIMARY KEY CHECK (seq >= 1),
    at     timestamptz NOT NULL,
    tenant text        NOT NULL,
    act    text        NOT NULL,
    record json        NOT NULL,
    hash   text        NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$')
);
CREATE INDEX audit_cuts ON policies.audit (seq) WHERE act = 'audit.cut';

-- The end of the chain, in one row: whoever writes locks it, so that one writes at a time.
CREATE TABLE policies.audit_head (
    one  boolean PRIMARY KEY DEFAULT true CHECK (one),
    seq  bigint  NOT NULL,
    hash text    NOT NULL
);
INSERT INTO policies.audit_head (seq, hash) VALUES (0, repeat('0', 64));

-- Whoever may reach the tables, the owner included, writes to their ends alone. What the retention cuts is the one
-- exception, and `cut_audit` the one way to it.
CREATE FUNCTION policies.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF TG_TABLE_NAME = 'audit' AND TG_OP = 'DELETE' AND current_setting('aeterna.cutting', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'policies.% only grows', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE ON policies.versions
    FOR EACH ROW EXECUTE FUNCTION policies.refuse_change();
CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE ON policies.deployments
    FOR EACH ROW EXECUTE FUNCTION policies.refuse_change();
CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE ON policies.audit
    FOR EACH ROW EXECUTE FUNCTION policies.refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON policies.versions EXECUTE FUNCTION policies.refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON policies.deployments EXECUTE FUNCTION policies.refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON policies.audit EXECUTE FUNCTION policies.refuse_change();

-- Row-level security binds the owner too. A transaction reaches one tenant's rows, or with aeterna.reach 'all' those of
-- every tenant: so the platform's administrators read, and so a version is numbered, checked and published. Where
-- nothing is set, current_setting is null or empty, and nothing is reached.
ALTER TABLE policies.versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE policies.versions FORCE ROW LEVEL SECURITY;
CREATE POLICY reach_of_the_transaction ON policies.versions
    USING (current_setting('aeterna.reach', true) = 'all' OR tenant = current_setting('aeterna.tenant', true))
    WITH CHECK (tenant = current_setting('aeterna.tenant', true));

ALTER TABLE policies.deployments ENABLE ROW LEVEL SECURITY;
ALTER TABLE policies.deployments FORCE ROW LEVEL SECURITY;
CREATE POLICY reach_of_the_transaction ON policies.deployments
    USING (current_setting('aeterna.reach', true) = 'all' OR tenant = current_setting('aeterna.tenant', true))
    WITH CHECK (current_setting('aeterna.reach', true) = 'all');

ALTER TABLE policies.audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE policies.audit FORCE ROW LEVEL SECURITY;
CREATE POLICY reach_of_the_transaction ON policies.audit
    USING (current_setting('aeterna.reach', true) = 'all' OR tenant = current_setting('aeterna.tenant', true))
    WITH CHECK (tenant = current_setting('aeterna.tenant', true));

-- Deletes the records up to this one. Younger ones than the promised 90 days are refused, whoever asks.
CREATE FUNCTION policies.cut_audit(through bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    removed bigint;
BEGIN
    IF EXISTS (SELECT FROM policies.audit WHERE seq <= through AND at > now() - interval '90 days') THEN
        RAISE EXCEPTION 'the audit is kept for 90 days' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM set_config('aeterna.cutting', 'on', true);
    DELETE FROM policies.audit WHERE seq <= through;
    GET DIAGNOSTICS removed = ROW_COUNT;
    PERFORM set_config('aeterna.cutting', '', true);
    RETURN removed;
END
$$;
REVOKE ALL ON FUNCTION policies.cut_audit(bigint) FROM PUBLIC;

GRANT USAGE ON SCHEMA policies TO aeterna_policies;
GRANT SELECT ON policies.schema_version TO aeterna_policies;
GRANT SELECT, INSERT ON policies.versions, policies.deployments, policies.audit TO aeterna_policies;
GRANT SELECT, UPDATE (seq, hash) ON policies.audit_head TO aeterna_policies;
GRANT EXECUTE ON FUNCTION policies.cut_audit(bigint) TO aeterna_policies;

-- Where one login both migrates and serves, it must be able to become the role. (PostgreSQL 16 and later give the
-- creator of a role the right to grant it, and not the right to become it.)
DO $$
BEGIN
    IF NOT pg_catalog.pg_has_role(current_user, 'aeterna_policies', 'SET') THEN
        EXECUTE format('GRANT aeterna_policies TO %I WITH INHERIT FALSE, SET TRUE', current_user);
    END IF;
EXCEPTION
    -- An administrator made the role beforehand and decides who may become it.
    WHEN insufficient_privilege THEN NULL;
END
$$;
