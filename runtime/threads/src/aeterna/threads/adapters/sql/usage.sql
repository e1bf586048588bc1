-- What a tenant holds and may hold.

-- name: read_account
-- One row, whether or not anything was counted or decided for the tenant.
SELECT usage.threads, usage.bytes + usage.object_bytes AS bytes, usage.open_tasks, usage.measured_at,
       quotas.threads AS most_threads, quotas.bytes AS most_bytes, quotas.open_tasks AS most_open_tasks,
       quotas.writes_per_second
FROM (SELECT) AS once
LEFT JOIN threads.usage AS usage ON usage.tenant = %(tenant)s
LEFT JOIN threads.quotas AS quotas ON quotas.tenant = %(tenant)s;
