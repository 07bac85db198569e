-- One row per commit, with what its files add up to.
DROP TABLE IF EXISTS repo_stats_next.commit;

CREATE TABLE repo_stats_next.commit (
  commit_id     integer PRIMARY KEY,
  hash          text NOT NULL,
  author_id     integer NOT NULL,
  day           date, -- NULL: unknown
  is_merge      boolean NOT NULL,
  subject       text NOT NULL,
  files_changed integer NOT NULL,
  lines_added   bigint NOT NULL,
  lines_deleted bigint NOT NULL
);

INSERT INTO repo_stats_next.commit
SELECT
  row_number() OVER (ORDER BY author_seconds, commit_hash),
  commit_hash,
  author.author_id,
  repo_stats_next.author_time(author_seconds, author_utc_offset)::date,
  parent_count > 1,
  subject,
  coalesce(change.files_changed, 0),
  coalesce(change.lines_added, 0),
  coalesce(change.lines_deleted, 0)
FROM repo_raw.commit
JOIN repo_stats_next.author ON author.name = commit.author_name
LEFT JOIN (
  SELECT commit_hash, count(*) AS files_changed, sum(lines_added) AS lines_added, sum(lines_deleted) AS lines_deleted
  FROM repo_raw.file_change
  GROUP BY commit_hash
) AS change USING (commit_hash);

ANALYZE repo_stats_next.commit;
