/** SQL functions for partitions, chunks and enums. */
export const partitionFunctions = String.raw`
-- Adds the missing ones of the partitions <table>_<value>, for a table that is partitioned by list.
CREATE OR REPLACE FUNCTION @util@.create_table_partitions(table_name regclass, partition_values text[]) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
  parent record;
  value text;
BEGIN
  SELECT nspname, relname INTO parent FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace WHERE pg_class.oid = table_name;
  FOREACH value IN ARRAY partition_values LOOP
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I.%I PARTITION OF %s FOR VALUES IN (%L)', parent.nspname,
      parent.relname || '_' || value, table_name, value);
  END LOOP;
END
$function$;

-- Adds the missing ones of the partitions <table>_0, <table>_1, …, for a table that is partitioned by hash.
CREATE OR REPLACE FUNCTION @util@.create_table_hash_partitions(table_name regclass, number_of_partitions integer) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
  parent record;
BEGIN
  SELECT nspname, relname INTO parent FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace WHERE pg_class.oid = table_name;
  FOR remainder IN 0 .. number_of_partitions - 1 LOOP
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I.%I PARTITION OF %s FOR VALUES WITH (MODULUS %s, REMAINDER %s)',
      parent.nspname, parent.relname || '_' || remainder, table_name, number_of_partitions, remainder);
  END LOOP;
END
$function$;

-- How many chunks there are: the option chunks of sqlLibrary().
CREATE OR REPLACE FUNCTION @util@.number_of_chunks() RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $function$ SELECT @chunks@ $function$;

-- 0, 1, 2, … as rows.
CREATE OR REPLACE FUNCTION @util@.get_all_chunks() RETURNS SETOF integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $function$ SELECT generate_series(0, @util@.number_of_chunks() - 1) $function$;

-- Adds a partition for each chunk, for a table that is partitioned by list of the chunk.
CREATE OR REPLACE FUNCTION @util@.create_chunk_partitions(table_name regclass) RETURNS void
LANGUAGE sql AS $function$
  SELECT @util@.create_table_partitions(table_name, (SELECT array_agg(chunk::text) FROM @util@.get_all_chunks() AS chunk))
$function$;

-- The chunk that a value belongs to, the same one for ever.
CREATE OR REPLACE FUNCTION @util@.compute_chunk(value bigint, chunks integer) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $function$ SELECT ((value % chunks + chunks) % chunks)::integer $function$;

CREATE OR REPLACE FUNCTION @util@.compute_chunk(value text, chunks integer) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $function$ SELECT ((hashtextextended(value, 0) % chunks + chunks) % chunks)::integer $function$;

CREATE OR REPLACE FUNCTION @util@.compute_chunk(value bigint) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $function$ SELECT @util@.compute_chunk(value, @chunks@) $function$;

CREATE OR REPLACE FUNCTION @util@.compute_chunk(value text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $function$ SELECT @util@.compute_chunk(value, @chunks@) $function$;

-- Adds the values that an enum lacks, at its end. They can be used when the transaction is committed.
CREATE OR REPLACE FUNCTION @util@.add_enum_values(type_name text, enum_values text[]) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
  value text;
BEGIN
  FOREACH value IN ARRAY enum_values LOOP
    EXECUTE format('ALTER TYPE %s ADD VALUE IF NOT EXISTS %L', type_name::regtype, value);
  END LOOP;
END
$function$;

-- Makes an enum, or adds the values that it lacks: SELECT @util@.create_enum('shop.status', '{new,paid}').
CREATE OR REPLACE FUNCTION @util@.create_enum(type_name text, enum_values text[]) RETURNS void
LANGUAGE plpgsql AS $function$
BEGIN
  IF to_regtype(type_name) IS NOT NULL THEN
    PERFORM @util@.add_enum_values(type_name, enum_values);
    RETURN;
  END IF;
  EXECUTE format('CREATE TYPE %s AS ENUM (%s)', type_name,
    (SELECT string_agg(quote_literal(value), ', ' ORDER BY place) FROM unnest(enum_values) WITH ORDINALITY AS given (value, place)));
END
$function$;
`;
