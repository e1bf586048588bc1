-- Removes everything. The role stays: it belongs to the server, and other databases may use it.
DROP TABLE knowledge.spending, knowledge.asked_about, knowledge.answers;
DROP TABLE knowledge.evidence, knowledge.beneath, knowledge.reports, knowledge.memberships, knowledge.runs;
DROP TABLE knowledge.refusals, knowledge.ingestions;
DROP TABLE knowledge.outbox, knowledge.edge_parts, knowledge.node_parts, knowledge.documents;
DROP TABLE knowledge.publications, knowledge.ledgers;
REVOKE ALL ON knowledge.schema_version FROM aeterna_knowledge;
REVOKE ALL ON SCHEMA knowledge FROM aeterna_knowledge;
