-- What a connection is told once, when it is made.

-- name: configure_connection
-- The role owns nothing and row-level security binds it, whoever the login is. The time zone only affects what is
-- printed. Commits are acknowledged when they are on disk, whatever the database's own default is.
SELECT set_config('role', %(role)s, false),
       set_config('statement_timeout', %(statement_timeout)s, false),
       set_config('lock_timeout', %(lock_timeout)s, false),
       set_config('idle_in_transaction_session_timeout', %(idle_timeout)s, false),
       set_config('synchronous_commit', 'on', false),
       set_config('timezone', 'UTC', false);

-- name: unbound_role
-- True where row-level security would not bind the role that the service acts as.
SELECT rolsuper OR rolbypassrls AS unbound FROM pg_catalog.pg_roles WHERE rolname = current_user;
