-- Fails the task that calls it when two numbers differ; says what was compared when they do not.
CREATE OR REPLACE FUNCTION repo_stats_next.assert_equal(description text, expected numeric, actual numeric)
RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  IF expected IS DISTINCT FROM actual THEN
    RAISE EXCEPTION '%: expected %, got %', description, expected, actual;
  END IF;
  RETURN format('%s: %s', description, actual);
END $$;
