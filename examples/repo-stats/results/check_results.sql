SELECT repo_stats_next.assert_equal(
  'Commits per week add up to all commits',
  (SELECT count(*) FROM repo_stats_next.commit),
  (SELECT coalesce(sum(commits), 0) FROM repo_stats_next.commits_per_week)
);

SELECT repo_stats_next.assert_equal(
  'Commits per author add up to all commits',
  (SELECT count(*) FROM repo_stats_next.commit),
  (SELECT coalesce(sum(commits), 0) FROM repo_stats_next.author_activity)
);

SELECT repo_stats_next.assert_equal(
  'Every author has commits',
  (SELECT count(*) FROM repo_stats_next.author),
  (SELECT count(*) FROM repo_stats_next.author_activity)
);

-- For publish.sql, which may be run by itself.
COMMENT ON SCHEMA repo_stats_next IS 'Complete and checked';
