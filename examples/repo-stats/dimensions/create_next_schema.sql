-- Tables are built in repo_stats_next, out of sight of readers; results/publish.sql puts them in place of repo_stats.
DROP SCHEMA IF EXISTS repo_stats_next CASCADE;
CREATE SCHEMA repo_stats_next;
