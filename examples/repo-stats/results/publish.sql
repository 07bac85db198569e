-- Renaming takes no lock on the tables: whoever is reading goes on reading the old ones, and a new query finds all
-- new tables or all old ones. The old ones go when their last reader has finished.
DROP SCHEMA IF EXISTS repo_stats_old CASCADE;

BEGIN;
CREATE SCHEMA IF NOT EXISTS repo_stats;
ALTER SCHEMA repo_stats RENAME TO repo_stats_old;
ALTER SCHEMA repo_stats_next RENAME TO repo_stats;
COMMIT;

DROP SCHEMA repo_stats_old CASCADE;
