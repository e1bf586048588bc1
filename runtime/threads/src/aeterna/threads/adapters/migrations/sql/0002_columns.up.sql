-- The columns that tasks and the partitions of the log need, on the tables that are there. Nothing is rewritten and nothing read:
-- defaults are constants, and checks are validated later, when nobody is held up. Runs again after a migration that was cut off.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'aeterna_threads_jobs') THEN
        CREATE ROLE aeterna_threads_jobs NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOBYPASSRLS;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

ALTER TABLE threads.threads
    -- The partition of the thread's log; never changes. A thread that never expires has the first day of all, any other the day
    -- (UTC) on which it was opened; so a partition of a day holds nothing that stays.
    ADD COLUMN IF NOT EXISTS born          date        NOT NULL DEFAULT DATE '1970-01-01',
    ADD COLUMN IF NOT EXISTS agent         text,
    ADD COLUMN IF NOT EXISTS context_id    text,
    ADD COLUMN IF NOT EXISTS state         text,
    ADD COLUMN IF NOT EXISTS status        json,
    ADD COLUMN IF NOT EXISTS task_metadata json,
    -- When the state last changed; the order of listings. Indexed, so it must not change with each row.
    ADD COLUMN IF NOT EXISTS status_at     timestamptz,
    ADD COLUMN IF NOT EXISTS ttl           interval,
    -- At least `ttl` after the last write. Moved in steps of an eighth of it, because it is indexed.
    ADD COLUMN IF NOT EXISTS expires_at    timestamptz,
    ADD COLUMN IF NOT EXISTS epoch         bigint      NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS runner        text,
    -- A message of the user waits for a runner, since when.
    ADD COLUMN IF NOT EXISTS waiting       boolean     NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS waiting_since timestamptz,
    ADD COLUMN IF NOT EXISTS handled_seq   bigint      NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS attempts      integer     NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS last_write    text,
    ADD COLUMN IF NOT EXISTS bytes         bigint      NOT NULL DEFAULT 0,
    DROP CONSTRAINT IF EXISTS threads_agent_check,
    DROP CONSTRAINT IF EXISTS threads_context_id_check,
    DROP CONSTRAINT IF EXISTS threads_state_check,
    DROP CONSTRAINT IF EXISTS threads_epoch_check,
    DROP CONSTRAINT IF EXISTS threads_expiry_check,
    ADD CONSTRAINT threads_agent_check CHECK (char_length(agent) BETWEEN 1 AND 255) NOT VALID,
    ADD CONSTRAINT threads_context_id_check CHECK (char_length(context_id) BETWEEN 1 AND 255) NOT VALID,
    ADD CONSTRAINT threads_state_check CHECK (state ~ '^TASK_STATE_[A-Z_]+$') NOT VALID,
    ADD CONSTRAINT threads_epoch_check CHECK (epoch >= 0) NOT VALID,
    -- What expires is in a partition of its day, and what stays is not; every task expires.
    ADD CONSTRAINT threads_expiry_check CHECK (
        (ttl IS NULL) = (born = DATE '1970-01-01') AND (agent IS NULL OR ttl > interval '0')
    ) NOT VALID;

ALTER TABLE threads.messages
    ADD COLUMN IF NOT EXISTS born        date    NOT NULL DEFAULT DATE '1970-01-01',
    ADD COLUMN IF NOT EXISTS kind        text    NOT NULL DEFAULT 'message',
    ADD COLUMN IF NOT EXISTS streamed    boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS said        boolean NOT NULL DEFAULT true,
    ADD COLUMN IF NOT EXISTS extra       json,
    ADD COLUMN IF NOT EXISTS payload     json,
    ADD COLUMN IF NOT EXISTS artifact_id text,
    ADD COLUMN IF NOT EXISTS append      boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT IF EXISTS events_kind_check,
    DROP CONSTRAINT IF EXISTS events_kept_born_check,
    ADD CONSTRAINT events_kind_check
        CHECK (kind IN ('message', 'task', 'status', 'artifact', 'reply')) NOT VALID,
    -- With it the table becomes a partition without being read.
    ADD CONSTRAINT events_kept_born_check
        CHECK (born >= DATE '1970-01-01' AND born < DATE '1970-01-02') NOT VALID;
