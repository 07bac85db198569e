-- Puts repo_stats_next in place of repo_stats. Renaming does not wait for readers: who is reading the old tables goes
-- on with them, and whoever comes later finds all of the new ones. Nothing happens when it has been done already.
DROP SCHEMA IF EXISTS repo_stats_old CASCADE;

BEGIN;

DO $$
BEGIN
  IF to_regnamespace('repo_stats_next') IS NULL THEN RETURN; END IF;
  IF obj_description(to_regnamespace('repo_stats_next'), 'pg_namespace') IS NULL THEN
    RAISE EXCEPTION 'The tables in repo_stats_next are not complete' USING HINT = 'Run the whole pipeline repo_stats.';
  END IF;
  CREATE SCHEMA IF NOT EXISTS repo_stats;
  ALTER SCHEMA repo_stats RENAME TO repo_stats_old;
  ALTER SCHEMA repo_stats_next RENAME TO repo_stats;
END $$;

COMMIT;

-- Waits for readers of the old tables.
DROP SCHEMA IF EXISTS repo_stats_old CASCADE;
