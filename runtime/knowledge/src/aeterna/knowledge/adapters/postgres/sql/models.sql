-- What models answered, and what they cost.

-- name: answer
SELECT answer.text::text, answer.instead, array_agg(about.unit ORDER BY about.unit)
FROM knowledge.answers AS answer
JOIN knowledge.asked_about AS about USING (tenant, key)
WHERE tenant = %(tenant)s AND key = %(key)s
GROUP BY answer.text::text, answer.instead;

-- name: remove_answer
DELETE FROM knowledge.answers WHERE tenant = %(tenant)s AND key = %(key)s;

-- name: write_answer
INSERT INTO knowledge.answers (tenant, key, text, instead)
VALUES (%(tenant)s, %(key)s, %(text)s::json, %(instead)s);

-- name: write_asked_about
INSERT INTO knowledge.asked_about (tenant, unit, key)
SELECT %(tenant)s, unit, %(key)s FROM unnest(%(units)b::text[]) AS about (unit);

-- name: remove_answers
DELETE FROM knowledge.answers AS answer
USING knowledge.asked_about AS about
WHERE about.tenant = %(tenant)s AND about.unit = ANY(%(units)b)
  AND answer.tenant = about.tenant AND answer.key = about.key;

-- name: begin_spending
INSERT INTO knowledge.spending (tenant, "window", window_tokens, day, day_tokens)
VALUES (%(tenant)s, 0, 0, 0, 0)
ON CONFLICT DO NOTHING;

-- name: lock_spending
SELECT "window", window_tokens, day, day_tokens FROM knowledge.spending WHERE tenant = %(tenant)s FOR UPDATE;

-- name: write_spending
UPDATE knowledge.spending
SET "window" = %(window)s, window_tokens = %(window_tokens)s, day = %(day)s, day_tokens = %(day_tokens)s
WHERE tenant = %(tenant)s;
