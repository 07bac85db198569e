SELECT repo_stats_next.assert_equal(
  'Commits in the fact table are the commits that git counts',
  (SELECT commit_count FROM repo_raw.watermark),
  (SELECT count(*) FROM repo_stats_next.commit)
);

SELECT repo_stats_next.assert_equal(
  'Commits on unknown days are those without a usable date',
  (
    SELECT count(*) FROM repo_raw.commit
    WHERE author_seconds BETWEEN -62135596800 AND 253402300799 IS NOT TRUE
  ),
  (SELECT count(*) FROM repo_stats_next.commit WHERE day IS NULL)
);

SELECT repo_stats_next.assert_equal(
  'Every day of a commit is in the dimension',
  (SELECT count(DISTINCT day) FROM repo_stats_next.commit),
  (SELECT count(*) FROM repo_stats_next.day)
);
