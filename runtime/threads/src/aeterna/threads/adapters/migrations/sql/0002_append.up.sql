-- The short way for the commonest write: one message to one plain thread. Two statements and no JSON to take apart, a third of
-- what write_log costs for one write. It says null where it did not write, and refuses a message id that is there already; the
-- caller then asks write_log, which alone knows why, and whether the message was written before.

CREATE FUNCTION threads.append_message(
    p_tenant text, p_thread text, p_expected bigint, p_message text, p_role text, p_parts json, p_metadata json, p_digest bytea,
    p_author text, OUT reached bigint, OUT written_at timestamptz
)
LANGUAGE plpgsql
-- A statement is planned once for a connection: to plan it costs more than to run it.
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    day date;
BEGIN
    PERFORM set_config('aeterna.tenant', p_tenant, true);
    UPDATE threads.threads AS l
    -- Time does not run backward in a log, and the end of a life is moved in steps, because it is indexed.
    SET last_seq = l.last_seq + 1, version = l.version + 1, updated_at = greatest(clock_timestamp(), l.updated_at),
        bytes = l.bytes + length(p_parts::text) + length(p_metadata::text),
        expires_at = CASE
            WHEN l.expires_at < clock_timestamp() + l.ttl THEN clock_timestamp() + l.ttl * 1.125 ELSE l.expires_at
        END
    WHERE l.tenant = p_tenant AND l.thread_id = p_thread AND l.agent IS NULL
      AND (l.expires_at IS NULL OR l.expires_at > clock_timestamp())
      AND (p_expected IS NULL OR l.last_seq = p_expected)
    RETURNING l.last_seq, l.updated_at, l.born INTO reached, written_at, day;
    IF FOUND THEN
        INSERT INTO threads.events (
            tenant, thread_id, seq, message_id, role, parts, metadata, digest, author, created_at, born, kind, said
        )
        VALUES (
            p_tenant, p_thread, reached, p_message, p_role, p_parts, p_metadata, p_digest, p_author, written_at, day, 'message',
            true
        );
    END IF;
END
$$;
