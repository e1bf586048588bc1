-- Removes every conversation. The role stays: it belongs to the server, and other databases may use it.
DROP TABLE threads.messages;
DROP TABLE threads.threads;
REVOKE ALL ON threads.schema_version FROM aeterna_threads;
REVOKE ALL ON SCHEMA threads FROM aeterna_threads;
