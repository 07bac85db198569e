-- What each author did; `commits` are the numbers of `git shortlog -sn HEAD`.
DROP TABLE IF EXISTS repo_stats_next.author_activity;

CREATE TABLE repo_stats_next.author_activity (
  author_id     integer PRIMARY KEY,
  name          text NOT NULL,
  commits       bigint NOT NULL,
  merges        bigint NOT NULL,
  lines_added   bigint NOT NULL,
  lines_deleted bigint NOT NULL,
  first_day     date,
  last_day      date
);

INSERT INTO repo_stats_next.author_activity
SELECT
  author_id,
  author.name,
  count(*),
  count(*) FILTER (WHERE commit.is_merge),
  sum(commit.lines_added),
  sum(commit.lines_deleted),
  min(commit.day),
  max(commit.day)
FROM repo_stats_next.commit
JOIN repo_stats_next.author USING (author_id)
GROUP BY author_id, author.name;
