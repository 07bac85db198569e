-- One row per file that a commit changed. Merges have none, as in `git log --numstat`.
DROP TABLE IF EXISTS repo_stats_next.file_change;

CREATE TABLE repo_stats_next.file_change (
  commit_id     integer NOT NULL,
  file_id       integer NOT NULL,
  author_id     integer NOT NULL,
  day           date, -- NULL: unknown
  is_rename     boolean NOT NULL,
  is_binary     boolean NOT NULL,
  lines_added   bigint NOT NULL, -- 0 for binary files
  lines_deleted bigint NOT NULL
);

INSERT INTO repo_stats_next.file_change
SELECT
  commit.commit_id,
  file.file_id,
  commit.author_id,
  commit.day,
  change.renamed_from IS NOT NULL,
  change.lines_added IS NULL,
  coalesce(change.lines_added, 0),
  coalesce(change.lines_deleted, 0)
FROM repo_raw.file_change AS change
JOIN repo_stats_next.commit ON commit.hash = change.commit_hash
JOIN repo_stats_next.file USING (path);

CREATE INDEX ON repo_stats_next.file_change (file_id);
CREATE INDEX ON repo_stats_next.file_change (commit_id);
ANALYZE repo_stats_next.file_change;
