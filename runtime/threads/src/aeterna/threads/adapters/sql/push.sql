-- Who is told of a task, and what could not be told, as the tenant sees it.

-- name: lock_pushed_task
-- A statement of its own, so that the next one counts what others have just added. Before a deletion it keeps out whoever
-- writes to the task, whose row for the outbox would name a configuration that has just gone.
SELECT context_id FROM threads.threads
WHERE tenant = %(tenant)s AND thread_id = %(thread_id)s AND agent = %(agent)s AND created_by = %(owner)s
  AND (expires_at IS NULL OR expires_at > clock_timestamp())
FOR NO KEY UPDATE;

-- name: put_config
-- Another address takes the lane from who delivers to the old one, which gets nothing after the notification under way.
INSERT INTO threads.push_configs AS config
    (tenant, thread_id, config_id, agent, owner, context_id, url, host, scheme, secrets)
SELECT %(tenant)s, %(thread_id)s, %(config_id)s, task.agent, task.created_by, task.context_id, %(url)s, %(host)s,
       %(scheme)s, %(secrets)s
FROM threads.threads AS task
WHERE task.tenant = %(tenant)s AND task.thread_id = %(thread_id)s
  AND task.agent = %(agent)s AND task.created_by = %(owner)s
  AND (task.expires_at IS NULL OR task.expires_at > clock_timestamp())
  AND %(most)s > (
      SELECT count(*) FROM threads.push_configs AS other
      WHERE other.tenant = %(tenant)s AND other.thread_id = %(thread_id)s AND other.config_id <> %(config_id)s
  )
ON CONFLICT (tenant, thread_id, config_id) DO UPDATE
SET url = excluded.url, host = excluded.host, scheme = excluded.scheme, secrets = excluded.secrets, attempts = 0,
    next_at = '-infinity',
    leased_until = CASE WHEN config.url = excluded.url THEN config.leased_until END,
    lease = CASE WHEN config.url = excluded.url THEN config.lease END
RETURNING config_id, url, scheme, created_at;

-- name: task_of_owner
SELECT thread_id FROM threads.threads
WHERE tenant = %(tenant)s AND thread_id = %(thread_id)s AND agent = %(agent)s AND created_by = %(owner)s
  AND (expires_at IS NULL OR expires_at > clock_timestamp());

-- name: read_configs
SELECT config_id, url, scheme, created_at FROM threads.push_configs
WHERE tenant = %(tenant)s AND thread_id = %(thread_id)s AND agent = %(agent)s AND owner = %(owner)s
ORDER BY lane;

-- name: delete_config
DELETE FROM threads.push_configs
WHERE tenant = %(tenant)s AND thread_id = %(thread_id)s AND agent = %(agent)s AND owner = %(owner)s
  AND config_id = %(config_id)s
RETURNING config_id;

-- name: read_letters
SELECT letter.letter_id, config.thread_id, config.config_id, config.url, letter.seq, letter.reason, letter.error,
       letter.attempts, letter.created_at, letter.died_at
FROM threads.dead_letters AS letter
JOIN threads.push_configs AS config ON config.lane = letter.lane
JOIN threads.threads AS task ON task.tenant = config.tenant AND task.thread_id = config.thread_id
WHERE letter.tenant = %(tenant)s
  AND (%(letter_id)s::bigint IS NULL OR letter.letter_id = %(letter_id)s)
  AND (%(before)s::bigint IS NULL OR letter.letter_id < %(before)s)
  AND (%(thread_id)s::text IS NULL OR config.thread_id = %(thread_id)s)
  AND (%(config_id)s::text IS NULL OR config.config_id = %(config_id)s)
  AND (task.expires_at IS NULL OR task.expires_at > clock_timestamp())
ORDER BY letter.letter_id DESC
LIMIT %(limit)s;

-- name: replay_letters
-- In the outbox again, at its old place in its lane; its age begins anew.
WITH chosen AS (
    DELETE FROM threads.dead_letters AS letter
    USING threads.push_configs AS config
    WHERE letter.tenant = %(tenant)s AND config.lane = letter.lane AND config.tenant = %(tenant)s
      AND (%(letter_id)s::bigint IS NULL OR letter.letter_id = %(letter_id)s)
      AND (%(thread_id)s::text IS NULL OR config.thread_id = %(thread_id)s)
      AND (%(config_id)s::text IS NULL OR config.config_id = %(config_id)s)
    RETURNING letter.lane, letter.seq, letter.tenant
), again AS (
    INSERT INTO threads.outbox (lane, seq, tenant) SELECT lane, seq, tenant FROM chosen
    ON CONFLICT (lane, seq) DO NOTHING
), due AS (
    UPDATE threads.push_configs SET attempts = 0, next_at = '-infinity'
    WHERE tenant = %(tenant)s AND lane IN (SELECT lane FROM chosen)
)
SELECT count(*) AS letters FROM chosen;

-- name: discard_letters
WITH chosen AS (
    DELETE FROM threads.dead_letters AS letter
    USING threads.push_configs AS config
    WHERE letter.tenant = %(tenant)s AND config.lane = letter.lane AND config.tenant = %(tenant)s
      AND (%(letter_id)s::bigint IS NULL OR letter.letter_id = %(letter_id)s)
      AND (%(thread_id)s::text IS NULL OR config.thread_id = %(thread_id)s)
      AND (%(config_id)s::text IS NULL OR config.config_id = %(config_id)s)
    RETURNING letter.letter_id
)
SELECT count(*) AS letters FROM chosen;
