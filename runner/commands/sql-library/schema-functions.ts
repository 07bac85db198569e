/** SQL functions for whole schemas. */

/** Stops those who use a schema. The name stands for where the function is. */
export const cancelQueries = String.raw`
-- Stops the queries that use tables of a schema, and the sessions that do in a transaction without a query. Those of
-- other users are stopped only if the current one may do that.
CREATE OR REPLACE FUNCTION @cancel_queries_on_schema@(schema_name text) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
  other record;
BEGIN
  FOR other IN
    SELECT DISTINCT a.pid, a.state
    FROM pg_locks AS l
    JOIN pg_class AS c ON c.oid = l.relation
    JOIN pg_stat_activity AS a ON a.pid = l.pid
    WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid()
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND c.relnamespace = to_regnamespace(quote_ident(schema_name))
  LOOP
    BEGIN
      IF other.state LIKE 'idle in transaction%' THEN PERFORM pg_terminate_backend(other.pid);
      ELSE PERFORM pg_cancel_backend(other.pid);
      END IF;
    EXCEPTION WHEN insufficient_privilege THEN
      RAISE WARNING 'the process % that uses schema % cannot be stopped: %', other.pid, schema_name, SQLERRM;
    END;
  END LOOP;
END
$function$;
`;

/**
 * The names change in one transaction, so whoever reads finds whole tables of one of the schemas. Before that all old
 * tables are locked: who reads several of them in one query has either locked old ones, and is waited for, or comes later
 * and gets the new ones, so that nobody sees some of both.
 *
 * Readers that have one table and wait for another one that is locked here already are let go first: the wait for a lock
 * is short, and the order another one each time. Where they are so many that there is never a moment without one, either
 * their queries are stopped, or the names change without the locks, and the old schema is dropped by the next replacement.
 */
export const replaceSchemaFunction = String.raw`
-- Puts one schema into the place of another one, which is dropped with everything in it. Whoever reads sees the tables
-- of the one or of the other, never none. What roles may do with the old schema and its tables they may do with the new
-- one and its tables of the same names. Waits for readers; after the time of patience it stops their queries, or if it
-- must not, lets them read on in the old schema, which is then called <schema>_outgoing until the next replacement.
CREATE OR REPLACE FUNCTION @replace_schema@(
  schema_name text, by_schema text, patience interval DEFAULT '10 seconds', cancels boolean DEFAULT true
) RETURNS void LANGUAGE plpgsql AS $function$
DECLARE
  started timestamptz := clock_timestamp();
  outgoing text := left(schema_name, 50) || '_outgoing';
  old_schema regnamespace;
  new_schema regnamespace := to_regnamespace(quote_ident(by_schema));
  relation regclass;
  permission record;
  locks boolean := true;
BEGIN
  IF new_schema IS NULL THEN
    RAISE EXCEPTION 'there is no schema %, so it cannot replace %', quote_ident(by_schema), quote_ident(schema_name);
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('millrace replace_schema ' || schema_name, 0));
  old_schema := to_regnamespace(quote_ident(schema_name));
  IF old_schema IS NULL THEN
    EXECUTE format('ALTER SCHEMA %I RENAME TO %I', by_schema, schema_name);
    RETURN;
  END IF;
  FOR permission IN
    SELECT 'SCHEMA' AS kind, quote_ident(by_schema) AS object, g.privilege_type, g.grantee
    FROM pg_namespace AS n, aclexplode(n.nspacl) AS g WHERE n.oid = old_schema AND g.grantee <> n.nspowner
    UNION ALL
    SELECT 'TABLE', format('%I.%I', by_schema, o.relname), g.privilege_type, g.grantee
    FROM pg_class AS o JOIN pg_class AS n USING (relname), aclexplode(o.relacl) AS g
    WHERE o.relnamespace = old_schema AND n.relnamespace = new_schema
      AND o.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.relkind IN ('r', 'p', 'v', 'm', 'f') AND g.grantee <> o.relowner
  LOOP
    EXECUTE format('GRANT %s ON %s %s TO %s', permission.privilege_type, permission.kind, permission.object,
      CASE permission.grantee WHEN 0 THEN 'PUBLIC' ELSE permission.grantee::regrole::text END);
  END LOOP;
  -- Of a replacement that could not drop it.
  IF to_regnamespace(quote_ident(outgoing)) IS NOT NULL THEN
    IF cancels THEN PERFORM @cancel_queries_on_schema@(outgoing); END IF;
    BEGIN
      PERFORM set_config('lock_timeout', '3s', true);
      EXECUTE format('DROP SCHEMA %I CASCADE', outgoing);
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      outgoing := left(outgoing, 54) || '_' || floor(random() * 1e8);
    END;
  END IF;
  LOOP
    BEGIN
      IF locks THEN
        -- One second is what Postgres takes to look for deadlocks, unless it is told otherwise.
        PERFORM set_config('lock_timeout', CASE WHEN cancels AND clock_timestamp() - started > patience THEN '3s' ELSE '200ms' END, true);
        FOR relation IN SELECT oid FROM pg_class WHERE relnamespace = old_schema AND relkind IN ('r', 'p') ORDER BY random() LOOP
          EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', relation);
        END LOOP;
      END IF;
      EXECUTE format('ALTER SCHEMA %I RENAME TO %I', schema_name, outgoing);
      EXECUTE format('ALTER SCHEMA %I RENAME TO %I', by_schema, schema_name);
      IF locks THEN EXECUTE format('DROP SCHEMA %I CASCADE', outgoing); END IF;
      EXIT;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      IF clock_timestamp() - started > patience THEN
        IF cancels THEN PERFORM @cancel_queries_on_schema@(schema_name); END IF;
        locks := cancels AND clock_timestamp() - started < patience + interval '1 minute';
      END IF;
      IF locks THEN PERFORM pg_sleep(0.02 + random() / 10); END IF;
    END;
  END LOOP;
  PERFORM set_config('lock_timeout', '0', true);
  IF NOT locks THEN
    RAISE WARNING 'schema % was in use, so the old one is kept as % until the next replacement', quote_ident(schema_name), quote_ident(outgoing);
  END IF;
END
$function$;
`;
