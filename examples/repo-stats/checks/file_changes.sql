SELECT repo_stats_next.assert_equal(
  'File changes in the fact table are those that were read',
  (SELECT count(*) FROM repo_raw.file_change),
  (SELECT count(*) FROM repo_stats_next.file_change)
);

SELECT repo_stats_next.assert_equal(
  'Lines added by file are those that were read',
  (SELECT coalesce(sum(lines_added), 0) FROM repo_raw.file_change),
  (SELECT coalesce(sum(lines_added), 0) FROM repo_stats_next.file_change)
);

SELECT repo_stats_next.assert_equal(
  'Lines deleted by file are those that were read',
  (SELECT coalesce(sum(lines_deleted), 0) FROM repo_raw.file_change),
  (SELECT coalesce(sum(lines_deleted), 0) FROM repo_stats_next.file_change)
);

SELECT repo_stats_next.assert_equal(
  'Lines added and deleted by commit are those by file',
  (SELECT coalesce(sum(lines_added - lines_deleted), 0) FROM repo_stats_next.file_change),
  (SELECT coalesce(sum(lines_added - lines_deleted), 0) FROM repo_stats_next.commit)
);
