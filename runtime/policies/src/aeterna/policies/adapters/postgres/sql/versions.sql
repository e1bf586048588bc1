-- Writing and reading versions. Row-level security hides what the transaction may not reach.

-- name: found_by_key
SELECT number, request_digest FROM policies.versions WHERE tenant = %(tenant)s AND request_key = %(key)s;

-- name: deployed_number
SELECT coalesce(max(number), 0) AS number FROM policies.deployments;

-- name: write_version
INSERT INTO policies.versions
    (number, tenant, author, message, created_at, digest, base, restores, files, report, request_key, request_digest)
SELECT coalesce(max(number), 0) + 1, %(tenant)s, %(author)s, %(message)s, %(at)s, %(digest)s, %(base)s, %(restores)s,
       %(files)s, %(report)s, %(key)s, %(request)s
FROM policies.versions
RETURNING number;

-- name: write_deployment
INSERT INTO policies.deployments (number, previous, tenant, deployed_by, deployed_at)
SELECT number, %(previous)s, tenant, %(by)s, %(at)s FROM policies.versions WHERE number = %(number)s;

-- name: read_version
SELECT version.number, version.tenant, version.author, version.message, version.created_at, version.digest,
       version.base, version.restores, coalesce((version.report ->> 'undecided')::boolean, false) AS undecided,
       deployment.deployed_at, deployment.deployed_by
FROM policies.versions AS version
LEFT JOIN policies.deployments AS deployment USING (number)
WHERE version.number = %(number)s;

-- name: read_content
SELECT files, report FROM policies.versions WHERE number = %(number)s;

-- name: newest_versions
SELECT version.number, version.tenant, version.author, version.message, version.created_at, version.digest,
       version.base, version.restores, coalesce((version.report ->> 'undecided')::boolean, false) AS undecided,
       deployment.deployed_at, deployment.deployed_by
FROM policies.versions AS version
LEFT JOIN policies.deployments AS deployment USING (number)
WHERE version.number < %(before)s
ORDER BY version.number DESC
LIMIT %(limit)s;
