-- Forgets nothing but the index of the search, which the next migration begins anew.
LOCK TABLE threads.threads, threads.events IN ACCESS EXCLUSIVE MODE;
DROP TRIGGER forget_words ON threads.events;
DROP FUNCTION threads.forget_words();
DROP FUNCTION threads.searchable_until();
DROP FUNCTION threads.search_said(text, text, bigint, text);
DROP FUNCTION threads.search_log(text, text, text, timestamptz, timestamptz, text, bigint, integer);
DROP FUNCTION threads.search_rare(text, tsquery, integer);
DROP FUNCTION threads.search_thread(text, tsquery, timestamptz, text, bigint, integer);
DROP FUNCTION threads.search_newest(text, tsquery, timestamptz, timestamptz, text, bigint, integer);
DROP TABLE threads.search_progress;
DROP TABLE threads.search_documents;
DROP FUNCTION threads.search_keys(text, text);
DROP FUNCTION threads.search_words(text, json);
DROP FUNCTION threads.search_key(text, text);
DROP FUNCTION threads.search_text(json);
