-- What the dispatchers of all replicas share, as the role of the jobs: it sees every tenant's.

-- name: claim_lanes
-- Lanes with something to tell, found by skipping from lane to lane in the outbox's key: what is delivered is deleted, and
-- a long queue of one lane costs no more than a short one. `place` keeps one host from taking what belongs to others.
WITH RECURSIVE lanes AS (
    (SELECT lane FROM threads.outbox ORDER BY lane LIMIT 1)
    UNION ALL
    SELECT (SELECT further.lane FROM threads.outbox AS further WHERE further.lane > lanes.lane ORDER BY further.lane LIMIT 1)
    FROM lanes
    WHERE lanes.lane IS NOT NULL
), rooms AS (
    SELECT * FROM unnest(%(hosts)s::text[], %(rooms)s::integer[]) AS room (host, places)
), due AS (
    SELECT config.lane, config.host,
           row_number() OVER (PARTITION BY config.host ORDER BY config.next_at, config.lane) AS place
    FROM lanes
    JOIN threads.push_configs AS config ON config.lane = lanes.lane
    WHERE config.next_at <= clock_timestamp()
      AND (config.leased_until IS NULL OR config.leased_until <= clock_timestamp())
), taken AS (
    SELECT config.lane
    FROM due
    JOIN threads.push_configs AS config ON config.lane = due.lane
    LEFT JOIN rooms ON rooms.host = due.host
    WHERE due.place <= coalesce(rooms.places, %(per_host)s)
      -- Said again for the row as it is once it is locked: another replica may have had it in between.
      AND config.next_at <= clock_timestamp()
      AND (config.leased_until IS NULL OR config.leased_until <= clock_timestamp())
    ORDER BY due.place, config.next_at
    LIMIT %(limit)s
    FOR NO KEY UPDATE OF config SKIP LOCKED
)
UPDATE threads.push_configs AS config
SET lease = %(lease)s, leased_until = clock_timestamp() + %(ttl)s
FROM taken
WHERE config.lane = taken.lane
RETURNING config.lane, config.tenant, config.agent, config.owner, config.thread_id, config.context_id, config.config_id,
          config.url, config.host, config.scheme, config.secrets, config.attempts,
          ARRAY(SELECT seq FROM threads.outbox WHERE outbox.lane = config.lane ORDER BY seq LIMIT %(depth)s) AS seqs;

-- name: note_delivered
-- Forgotten whoever has the lane by now: it was delivered. Returns a row for who still has it.
WITH told AS (
    DELETE FROM threads.outbox WHERE lane = %(lane)s AND seq = %(seq)s
)
UPDATE threads.push_configs
SET attempts = 0, leased_until = clock_timestamp() + %(ttl)s
WHERE lane = %(lane)s AND lease = %(lease)s
RETURNING lane;

-- name: note_failed
UPDATE threads.push_configs
SET attempts = %(attempts)s, next_at = clock_timestamp() + %(wait)s, lease = NULL, leased_until = NULL
WHERE lane = %(lane)s AND lease = %(lease)s
RETURNING lane;

-- name: bury
-- Only by who has the lane: somebody else may be delivering it at this moment.
WITH held AS (
    UPDATE threads.push_configs
    SET attempts = 0, leased_until = clock_timestamp() + %(ttl)s
    WHERE lane = %(lane)s AND lease = %(lease)s
    RETURNING lane
), gone AS (
    DELETE FROM threads.outbox USING held WHERE outbox.lane = held.lane AND outbox.seq = %(seq)s
    RETURNING outbox.lane, outbox.seq, outbox.tenant, outbox.created_at
), letter AS (
    INSERT INTO threads.dead_letters (lane, seq, tenant, created_at, attempts, reason, error)
    SELECT lane, seq, tenant, created_at, %(attempts)s, %(reason)s, %(error)s FROM gone
)
SELECT lane FROM held;

-- name: release_lane
UPDATE threads.push_configs
SET next_at = clock_timestamp(), lease = NULL, leased_until = NULL
WHERE lane = %(lane)s AND lease = %(lease)s
RETURNING lane;

-- name: bury_aged
WITH gone AS (
    DELETE FROM threads.outbox
    WHERE (lane, seq) IN (
        SELECT lane, seq FROM threads.outbox
        WHERE created_at < clock_timestamp() - %(max_age)s
        ORDER BY created_at
        LIMIT %(limit)s
    )
    RETURNING lane, seq, tenant, created_at
)
INSERT INTO threads.dead_letters (lane, seq, tenant, created_at, attempts, reason, error)
SELECT gone.lane, gone.seq, gone.tenant, gone.created_at, config.attempts, 'age', 'not delivered in time'
FROM gone
JOIN threads.push_configs AS config ON config.lane = gone.lane
RETURNING lane;

-- name: bury_overflow
-- The oldest first: a receiver that comes back hears of the present.
WITH crowded AS (
    SELECT tenant, count(*) AS waiting FROM threads.outbox GROUP BY tenant HAVING count(*) > %(most)s
), gone AS (
    DELETE FROM threads.outbox
    USING crowded
    CROSS JOIN LATERAL (
        SELECT old.lane, old.seq FROM threads.outbox AS old
        WHERE old.tenant = crowded.tenant
        ORDER BY old.created_at
        LIMIT least(crowded.waiting - %(most)s, %(limit)s)
    ) AS excess
    WHERE outbox.lane = excess.lane AND outbox.seq = excess.seq
    RETURNING outbox.lane, outbox.seq, outbox.tenant, outbox.created_at
)
INSERT INTO threads.dead_letters (lane, seq, tenant, created_at, attempts, reason, error)
SELECT gone.lane, gone.seq, gone.tenant, gone.created_at, config.attempts, 'overflow', 'the tenant has too many waiting'
FROM gone
JOIN threads.push_configs AS config ON config.lane = gone.lane
RETURNING lane;

-- name: measure_backlog
SELECT count(*) AS waiting, coalesce(clock_timestamp() - min(created_at), interval '0') AS oldest FROM threads.outbox;
