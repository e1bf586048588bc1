-- Removes the ways in; the log itself goes after it.
DROP FUNCTION threads.append_message(text, text, bigint, text, text, json, json, bytea, text);
DROP FUNCTION threads.write_log(text, boolean, boolean, json);
DROP FUNCTION threads.begin_task(text, text, text, text, text, interval);
DROP FUNCTION threads.runner_lives(text, text, text);
ALTER TABLE threads.threads DROP COLUMN waiting_seq, DROP COLUMN last_write_seq;
