DROP TABLE IF EXISTS repo_stats_next.commits_per_week;

CREATE TABLE repo_stats_next.commits_per_week (
  week          date, -- its Monday; NULL: commits without a usable date
  commits       bigint NOT NULL,
  authors       bigint NOT NULL,
  lines_added   bigint NOT NULL,
  lines_deleted bigint NOT NULL
);

INSERT INTO repo_stats_next.commits_per_week
SELECT day.week, count(*), count(DISTINCT commit.author_id), sum(commit.lines_added), sum(commit.lines_deleted)
FROM repo_stats_next.commit
LEFT JOIN repo_stats_next.day USING (day)
GROUP BY day.week
ORDER BY day.week;
