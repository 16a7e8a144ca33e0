-- What the engine itself asks the server.

-- name: examine_server
SELECT current_setting('server_version_num')::INTEGER, current_setting('server_version'),
       current_setting('server_encoding'), current_schema(), pg_is_in_recovery()

-- name: prepare_session
-- Every statement finds its rows by a key, however few there are today. A plan that looks through a table
-- while it is small would be kept when it has grown. The answer to a commit is its durability, whatever the
-- role's own settings say.
SELECT set_config('jit', 'off', false),
       set_config('enable_seqscan', 'off', false),
       set_config('enable_hashjoin', 'off', false),
       set_config('enable_mergejoin', 'off', false),
       set_config('client_min_messages', 'error', false),
       set_config('idle_in_transaction_session_timeout', '0', false),
       set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'
                                             ELSE current_setting('synchronous_commit') END, false)

-- name: take_store
SELECT pg_try_advisory_lock(hashtextextended('waypost ' || current_schema(), 0))

-- name: store_is_taken
SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (classid::BIGINT << 32) + objid::BIGINT = hashtextextended('waypost ' || current_schema(), 0)
)

-- name: identify_session
SELECT pid, backend_start::TEXT FROM pg_stat_activity WHERE pid = pg_backend_pid()

-- name: end_session
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity
WHERE pid = :pid AND backend_start = :backend_start::TIMESTAMPTZ

-- name: begin_write
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE

-- name: begin_read
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY

-- name: create_last_commit
-- One row: the mark of the last transaction that wrote something.
CREATE TABLE IF NOT EXISTS last_commit (
    one  BIGINT PRIMARY KEY CHECK (one = 1),
    mark TEXT NOT NULL
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0.0)

-- name: fill_last_commit
INSERT INTO last_commit (one, mark) VALUES (1, '') ON CONFLICT (one) DO NOTHING

-- name: mark_commit
-- A transaction that wrote and locked nothing has no number, and a mark would make it one that writes.
UPDATE last_commit SET mark = :mark WHERE one = 1 AND pg_current_xact_id_if_assigned() IS NOT NULL

-- name: last_commit
SELECT mark FROM last_commit WHERE one = 1

-- name: lock_accounts
SELECT account_id, last_sequence FROM accounts
WHERE account_id = ANY(:account_ids)
ORDER BY account_id
FOR UPDATE

-- name: hold_names
SELECT count(pg_advisory_xact_lock_shared(hashtextextended('waypost ' || current_schema() || ' ' || name, 1)))
FROM jsonb_array_elements_text(:names::JSONB) AS held (name)

-- name: hold_names_alone
SELECT count(pg_advisory_xact_lock(hashtextextended('waypost ' || current_schema() || ' ' || name, 1)))
FROM jsonb_array_elements_text(:names::JSONB) AS held (name)

-- name: column_types
SELECT attname, format_type(atttypid, NULL)
FROM pg_attribute
WHERE attrelid = :table::REGCLASS AND attnum > 0 AND NOT attisdropped

-- name: examine_durability
SELECT (SELECT reset_val FROM pg_settings WHERE name = 'fsync'),
       (SELECT reset_val FROM pg_settings WHERE name = 'full_page_writes'),
       (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit')

-- name: examine_privileges
SELECT has_schema_privilege(n.oid, 'CREATE'),
       (SELECT count(*) FROM pg_class c
        WHERE c.relnamespace = n.oid AND c.relkind = 'r'
          AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
                   AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')))
FROM pg_namespace n WHERE n.nspname = current_schema()

-- name: store_size
SELECT to_regclass('schema_migrations') IS NOT NULL, coalesce(sum(pg_total_relation_size(c.oid)), 0)::BIGINT
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind = 'r'

-- name: server_clock
SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT
