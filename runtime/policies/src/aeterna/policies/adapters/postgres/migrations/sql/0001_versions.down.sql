-- Removes every version and the whole audit. The role stays: it belongs to the server, and other databases may use it.
DROP FUNCTION policies.cut_audit(bigint);
DROP TABLE policies.audit_head;
DROP TABLE policies.audit;
DROP TABLE policies.deployments;
DROP TABLE policies.versions;
DROP FUNCTION policies.refuse_change();
REVOKE ALL ON policies.schema_version FROM aeterna_policies;
REVOKE ALL ON SCHEMA policies FROM aeterna_policies;
