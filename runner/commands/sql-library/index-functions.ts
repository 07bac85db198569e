/** SQL functions that add indexes, keys and checks; each does nothing when what it would add is there. */
export const indexFunctions = String.raw`
-- The name of an index or a constraint of a table: readable, and short enough.
CREATE OR REPLACE FUNCTION @util@.object_name(table_name regclass, suffix text) RETURNS text
LANGUAGE sql STABLE AS $function$
  SELECT CASE WHEN octet_length(relname || '__' || suffix) < 64 THEN relname || '__' || suffix
    ELSE left(relname, 20) || '__' || left(md5(relname || '__' || suffix), 12) END
  FROM pg_class WHERE oid = table_name
$function$;

-- Adds an index: SELECT @util@.add_index('shop.orders', '{customer_fk}').
CREATE OR REPLACE FUNCTION @util@.add_index(
  table_name regclass, column_names text[], method text DEFAULT 'btree', predicate text DEFAULT NULL,
  is_unique boolean DEFAULT false
) RETURNS void LANGUAGE plpgsql AS $function$
DECLARE
  columns text := (SELECT string_agg(quote_ident(name), ', ' ORDER BY place) FROM unnest(column_names) WITH ORDINALITY AS given (name, place));
  suffix text := array_to_string(column_names, '__') || CASE WHEN method = 'btree' THEN '' ELSE '__' || method END
    || CASE WHEN is_unique THEN '__unique' ELSE '' END
    || CASE WHEN predicate IS NULL THEN '' ELSE '__' || left(md5(predicate), 8) END;
BEGIN
  EXECUTE format('CREATE %s INDEX IF NOT EXISTS %I ON %s USING %I (%s)%s', CASE WHEN is_unique THEN 'UNIQUE' END,
    @util@.object_name(table_name, suffix), table_name, method, columns, ' WHERE ' || predicate);
END
$function$;

-- Makes columns the primary key, unless the table has one.
CREATE OR REPLACE FUNCTION @util@.add_pk(table_name regclass, column_names text[]) RETURNS void
LANGUAGE plpgsql AS $function$
BEGIN
  IF EXISTS (SELECT FROM pg_constraint WHERE conrelid = table_name AND contype = 'p') THEN RETURN; END IF;
  EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY (%s)', table_name,
    (SELECT string_agg(quote_ident(name), ', ' ORDER BY place) FROM unnest(column_names) WITH ORDINALITY AS given (name, place)));
END
$function$;

-- Lets a column (default: <to_table>_fk) refer to the primary key of another table, which must have one of one column.
CREATE OR REPLACE FUNCTION @util@.add_fk(from_table regclass, to_table regclass, column_name text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
  referring text := coalesce(column_name, (SELECT relname || '_fk' FROM pg_class WHERE oid = to_table));
BEGIN
  IF EXISTS (
    SELECT FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
    WHERE conrelid = from_table AND confrelid = to_table AND contype = 'f' AND cardinality(conkey) = 1 AND attname = referring
  ) THEN RETURN; END IF;
  EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I FOREIGN KEY (%I) REFERENCES %s', from_table,
    @util@.object_name(from_table, referring), referring, to_table);
END
$function$;

-- Adds a condition that all rows must meet.
CREATE OR REPLACE FUNCTION @util@.add_check(table_name regclass, constraint_name text, condition text) RETURNS void
LANGUAGE plpgsql AS $function$
BEGIN
  IF EXISTS (SELECT FROM pg_constraint WHERE conrelid = table_name AND conname = constraint_name) THEN RETURN; END IF;
  EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (%s)', table_name, constraint_name, condition);
END
$function$;

-- Adds indexes for the foreign keys of a schema that have none.
CREATE OR REPLACE FUNCTION @util@.add_indexes_on_all_fks(schema_name text) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
  missing record;
BEGIN
  FOR missing IN
    SELECT DISTINCT c.conrelid::regclass AS table_name, c.conkey,
      (SELECT array_agg(a.attname::text ORDER BY k.place) FROM unnest(c.conkey) WITH ORDINALITY AS k (number, place)
        JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.number) AS column_names
    FROM pg_constraint AS c
    WHERE c.contype = 'f' AND c.conparentid = 0 AND c.connamespace = quote_ident(schema_name)::regnamespace
      AND NOT EXISTS (
        SELECT FROM pg_index AS i WHERE i.indrelid = c.conrelid AND i.indpred IS NULL
          AND (i.indkey::smallint[])[0:cardinality(c.conkey) - 1] @> c.conkey
      )
  LOOP
    PERFORM @util@.add_index(missing.table_name, missing.column_names);
  END LOOP;
END
$function$;
`;
