-- Removes what is still to be told and what could not be told, with who is told.
LOCK TABLE threads.threads, threads.events IN ACCESS EXCLUSIVE MODE;
DROP TRIGGER fill_outbox ON threads.events;
DROP FUNCTION threads.fill_outbox();
DROP TABLE threads.dead_letters;
DROP TABLE threads.outbox;
DROP TABLE threads.push_configs;
