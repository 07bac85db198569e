-- The files with the most lines added and deleted over the whole history.
DROP TABLE IF EXISTS repo_stats_next.hot_spot;

CREATE TABLE repo_stats_next.hot_spot (
  rank          integer PRIMARY KEY,
  path          text NOT NULL,
  directory     text NOT NULL,
  churn         bigint NOT NULL, -- lines added and deleted
  lines_added   bigint NOT NULL,
  lines_deleted bigint NOT NULL,
  commits       bigint NOT NULL,
  authors       bigint NOT NULL,
  last_changed  date
);

INSERT INTO repo_stats_next.hot_spot
SELECT
  row_number() OVER (ORDER BY change.churn DESC, file.path),
  file.path,
  directory.path,
  change.churn,
  change.lines_added,
  change.lines_deleted,
  change.commits,
  change.authors,
  change.last_changed
FROM (
  SELECT
    file_id,
    sum(lines_added + lines_deleted) AS churn,
    sum(lines_added) AS lines_added,
    sum(lines_deleted) AS lines_deleted,
    count(DISTINCT commit_id) AS commits,
    count(DISTINCT author_id) AS authors,
    max(day) AS last_changed
  FROM repo_stats_next.file_change
  GROUP BY file_id
) AS change
JOIN repo_stats_next.file USING (file_id)
JOIN repo_stats_next.directory USING (directory_id)
ORDER BY change.churn DESC, file.path
LIMIT @number_of_hot_spots@;
