-- Who may do what with the tables of 0001. The role that serves owns nothing, so that row-level security binds it.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'aeterna_knowledge') THEN
        CREATE ROLE aeterna_knowledge NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOBYPASSRLS;
    END IF;
EXCEPTION
    -- Two databases of one server were migrated at the same time, and the other one was first.
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

-- Row-level security binds the owner too. A transaction reaches the rows of the tenant that it names; where it names
-- none, current_setting is null or empty, and nothing is reached.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['ledgers', 'publications', 'documents', 'node_parts', 'edge_parts', 'outbox',
        'ingestions', 'refusals', 'runs', 'memberships', 'reports', 'beneath',
        'evidence', 'answers', 'asked_about', 'spending']
    LOOP
        EXECUTE format('ALTER TABLE knowledge.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE knowledge.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY tenant_of_the_transaction ON knowledge.%I '
            'USING (tenant = current_setting(''aeterna.tenant'', true)) '
            'WITH CHECK (tenant = current_setting(''aeterna.tenant'', true))', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON knowledge.%I TO aeterna_knowledge', name);
    END LOOP;
END
$$;

GRANT USAGE ON SCHEMA knowledge TO aeterna_knowledge;
GRANT SELECT ON knowledge.schema_version TO aeterna_knowledge;

-- Where one login both migrates and serves, it must be able to become the role. (PostgreSQL 16 and later give the
-- creator of a role the right to grant it, and not the right to become it.)
DO $$
BEGIN
    IF NOT pg_catalog.pg_has_role(current_user, 'aeterna_knowledge', 'SET') THEN
        EXECUTE format('GRANT aeterna_knowledge TO %I WITH INHERIT FALSE, SET TRUE', current_user);
    END IF;
EXCEPTION
    -- An administrator made the role beforehand and decides who may become it.
    WHEN insufficient_privilege THEN NULL;
END
$$;
