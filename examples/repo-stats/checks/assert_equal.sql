-- Fails the task that calls it when two numbers differ.
CREATE OR REPLACE FUNCTION repo_stats_next.assert_equal(description text, expected numeric, actual numeric)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF expected IS DISTINCT FROM actual THEN
    RAISE EXCEPTION '%: expected %, got %', description, expected, actual;
  END IF;
END $$;
