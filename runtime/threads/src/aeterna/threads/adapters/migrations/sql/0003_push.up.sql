-- Push notifications. The outbox names rows of the log and copies none: what was erased or has expired is not sent, and a
-- task's end takes its configurations, what is still to be told and what could not be told with it.
LOCK TABLE threads.threads, threads.events IN ACCESS EXCLUSIVE MODE;

CREATE TABLE threads.push_configs (
    -- One receiver of one task, as a number: its notifications are sent one after the other.
    lane         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant       text        NOT NULL,
    thread_id    text        NOT NULL,
    config_id    text        NOT NULL CHECK (char_length(config_id) BETWEEN 1 AND 255),
    -- As the task has them, neither of which ever changes: the dispatcher reads the log as this agent and this owner.
    agent        text        NOT NULL,
    owner        text        NOT NULL,
    context_id   text        NOT NULL,
    url          text        NOT NULL CHECK (char_length(url) BETWEEN 1 AND 2048),
    -- `host:port` of the url: receivers behind the same one share its limits.
    host         text        NOT NULL CHECK (char_length(host) BETWEEN 1 AND 300),
    scheme       text        CHECK (char_length(scheme) BETWEEN 1 AND 64),
    -- Token and credentials, AES-256-GCM; the key is not in the database.
    secrets      bytea       CHECK (octet_length(secrets) <= 16384),
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The dispatcher's: how often the first notification was tried, when to try again, and who has the lane until when.
    attempts     integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_at      timestamptz NOT NULL DEFAULT '-infinity',
    lease        uuid,
    leased_until timestamptz,
    UNIQUE (tenant, thread_id, config_id),
    FOREIGN KEY (tenant, thread_id) REFERENCES threads.threads (tenant, thread_id) ON DELETE CASCADE
)
WITH (fillfactor = 70);

CREATE TABLE threads.outbox (
    lane       bigint      NOT NULL REFERENCES threads.push_configs (lane) ON DELETE CASCADE,
    seq        bigint      NOT NULL CHECK (seq >= 1),
    tenant     text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (lane, seq)
);
CREATE INDEX outbox_oldest ON threads.outbox (created_at);

CREATE TABLE threads.dead_letters (
    letter_id  bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lane       bigint      NOT NULL REFERENCES threads.push_configs (lane) ON DELETE CASCADE,
    seq        bigint      NOT NULL CHECK (seq >= 1),
    tenant     text        NOT NULL,
    created_at timestamptz NOT NULL,
    died_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts   integer     NOT NULL,
    reason     text        NOT NULL CHECK (reason IN ('refused', 'attempts', 'age', 'overflow')),
    -- What the last attempt came to, in our own words: nothing that a receiver says is kept.
    error      text        NOT NULL CHECK (char_length(error) <= 200),
    UNIQUE (lane, seq)
);
CREATE INDEX dead_letters_newest_first ON threads.dead_letters (tenant, letter_id DESC);

-- In the database rather than in the statements that write, so that no writer of the log can forget it. A task without
-- configurations costs one look into an index for each statement.
CREATE FUNCTION threads.fill_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO threads.outbox (lane, seq, tenant)
    SELECT config.lane, added.seq, added.tenant
    FROM added
    JOIN threads.push_configs AS config USING (tenant, thread_id)
    WHERE added.streamed;
    RETURN NULL;
END
$$;

CREATE TRIGGER fill_outbox AFTER INSERT ON threads.events
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION threads.fill_outbox();

ALTER TABLE threads.push_configs ENABLE ROW LEVEL SECURITY;
ALTER TABLE threads.push_configs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_of_the_transaction ON threads.push_configs TO aeterna_threads
    USING (tenant = current_setting('aeterna.tenant', true))
    WITH CHECK (tenant = current_setting('aeterna.tenant', true));
CREATE POLICY jobs_of_every_tenant ON threads.push_configs TO aeterna_threads_jobs USING (true) WITH CHECK (true);

ALTER TABLE threads.outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE threads.outbox FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_of_the_transaction ON threads.outbox TO aeterna_threads
    USING (tenant = current_setting('aeterna.tenant', true))
    WITH CHECK (tenant = current_setting('aeterna.tenant', true));
CREATE POLICY jobs_of_every_tenant ON threads.outbox TO aeterna_threads_jobs USING (true) WITH CHECK (true);

ALTER TABLE threads.dead_letters ENABLE ROW LEVEL SECURITY;
ALTER TABLE threads.dead_letters FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_of_the_transaction ON threads.dead_letters TO aeterna_threads
    USING (tenant = current_setting('aeterna.tenant', true))
    WITH CHECK (tenant = current_setting('aeterna.tenant', true));
CREATE POLICY jobs_of_every_tenant ON threads.dead_letters TO aeterna_threads_jobs USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, DELETE, UPDATE (url, host, scheme, secrets, attempts, next_at, lease, leased_until)
    ON threads.push_configs TO aeterna_threads;
GRANT SELECT, INSERT ON threads.outbox TO aeterna_threads;
GRANT SELECT, DELETE ON threads.dead_letters TO aeterna_threads;

GRANT SELECT, UPDATE (attempts, next_at, lease, leased_until) ON threads.push_configs TO aeterna_threads_jobs;
GRANT SELECT, DELETE ON threads.outbox TO aeterna_threads_jobs;
GRANT SELECT, INSERT ON threads.dead_letters TO aeterna_threads_jobs;
