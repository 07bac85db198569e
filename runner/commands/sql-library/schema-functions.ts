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
 * All tables are locked before the names change. Who reads several of them in one query has either the old ones locked,
 * and is waited for, or comes later and gets the new ones: nobody sees some of both.
 *
 * The wait for a lock is shorter than it takes Postgres to look for a deadlock (1 s by default): a reader that has a table
 * and waits for another one that is locked here already is let go first.
 */
export const replaceSchemaFunction = String.raw`
-- Puts one schema into the place of another one, which is dropped with everything in it. Whoever reads sees the tables
-- of the one or of the other, never none and never some of each. What roles may do with the old schema and its tables
-- they may do with the new one and its tables of the same names. Waits for readers; after the time of patience it stops
-- their queries, or fails if it must not.
CREATE OR REPLACE FUNCTION @replace_schema@(
  schema_name text, by_schema text, patience interval DEFAULT '10 seconds', cancels boolean DEFAULT true
) RETURNS void LANGUAGE plpgsql AS $function$
DECLARE
  old_schema regnamespace;
  started timestamptz := clock_timestamp();
  outgoing text := left(schema_name, 54) || '_outgoing';
  relation regclass;
  permission record;
BEGIN
  IF to_regnamespace(quote_ident(by_schema)) IS NULL THEN
    RAISE EXCEPTION 'there is no schema %, so it cannot replace %', quote_ident(by_schema), quote_ident(schema_name);
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('millrace replace_schema ' || schema_name, 0));
  LOOP
    BEGIN
      old_schema := to_regnamespace(quote_ident(schema_name));
      IF old_schema IS NOT NULL THEN
        PERFORM set_config('lock_timeout', CASE WHEN clock_timestamp() - started > patience AND cancels THEN '3s' ELSE '300ms' END, true);
        FOR relation IN SELECT oid FROM pg_class WHERE relnamespace = old_schema AND relkind IN ('r', 'p') ORDER BY oid LOOP
          EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', relation);
        END LOOP;
        FOR permission IN
          SELECT 'SCHEMA' AS kind, quote_ident(by_schema) AS object, g.privilege_type, g.grantee
          FROM pg_namespace AS n, aclexplode(n.nspacl) AS g WHERE n.oid = old_schema AND g.grantee <> n.nspowner
          UNION ALL
          SELECT 'TABLE', format('%I.%I', by_schema, o.relname), g.privilege_type, g.grantee
          FROM pg_class AS o JOIN pg_class AS n USING (relname), aclexplode(o.relacl) AS g
          WHERE o.relnamespace = old_schema AND n.relnamespace = to_regnamespace(quote_ident(by_schema))
            AND o.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.relkind IN ('r', 'p', 'v', 'm', 'f') AND g.grantee <> o.relowner
        LOOP
          EXECUTE format('GRANT %s ON %s %s TO %s', permission.privilege_type, permission.kind, permission.object,
            CASE permission.grantee WHEN 0 THEN 'PUBLIC' ELSE permission.grantee::regrole::text END);
        END LOOP;
        EXECUTE format('ALTER SCHEMA %I RENAME TO %I', schema_name, outgoing);
      END IF;
      EXECUTE format('ALTER SCHEMA %I RENAME TO %I', by_schema, schema_name);
      IF old_schema IS NOT NULL THEN EXECUTE format('DROP SCHEMA %I CASCADE', outgoing); END IF;
      PERFORM set_config('lock_timeout', '0', true);
      RETURN;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      IF clock_timestamp() - started > patience THEN
        IF NOT cancels THEN
          RAISE EXCEPTION 'schema % is still in use after %, so it was not replaced', quote_ident(schema_name), patience;
        END IF;
        IF clock_timestamp() - started > patience + interval '1 minute' THEN
          RAISE EXCEPTION 'schema % is still in use although its queries were stopped', quote_ident(schema_name);
        END IF;
        PERFORM @cancel_queries_on_schema@(schema_name);
      END IF;
      PERFORM pg_sleep(0.05 + random() / 10);
    END;
  END LOOP;
END
$function$;
`;
