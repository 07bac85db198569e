-- Brings the raw tables from the old watermark to the new one: all of it or nothing.
BEGIN;

DO $$
DECLARE
  pending repo_raw.pending_read;
  commits bigint := (SELECT count(*) FROM repo_raw.new_commit);
  changes bigint := (SELECT count(*) FROM repo_raw.new_file_change);
  gone    bigint := (SELECT count(*) FROM repo_raw.gone_commit);
BEGIN
  SELECT * INTO pending FROM repo_raw.pending_read;
  IF FOUND AND (commits, changes, gone) <> (pending.new_commits, pending.new_changes, pending.gone_commits) THEN
    RAISE EXCEPTION 'The loaded files are not what was read from git: % of % commits, % of % file changes, % of % removed commits',
      commits, pending.new_commits, changes, pending.new_changes, gone, pending.gone_commits
      USING HINT = 'Run the pipeline load_history from its beginning.';
  END IF;
END $$;

-- Everything was read again: another repository, or git now counts in another way (see read-history.ts).
DELETE FROM repo_raw.commit WHERE (SELECT is_complete FROM repo_raw.pending_read);
DELETE FROM repo_raw.file_change WHERE (SELECT is_complete FROM repo_raw.pending_read);

-- Commits that a rebase, an amend or a forced update has left behind.
DELETE FROM repo_raw.commit USING repo_raw.gone_commit WHERE commit.commit_hash = gone_commit.commit_hash;
DELETE FROM repo_raw.file_change USING repo_raw.gone_commit WHERE file_change.commit_hash = gone_commit.commit_hash;

INSERT INTO repo_raw.commit
SELECT commit_hash, parent_count, author_name, author_email, author_seconds, author_utc_offset, subject
FROM repo_raw.new_commit;

INSERT INTO repo_raw.file_change
SELECT commit_hash, position, path, renamed_from, lines_added, lines_deleted
FROM repo_raw.new_file_change;

DO $$
DECLARE
  loaded   bigint := (SELECT count(*) FROM repo_raw.commit);
  expected bigint := (SELECT commit_count FROM repo_raw.pending_read);
BEGIN
  IF loaded <> expected THEN
    RAISE EXCEPTION 'git counts % commits, but % would be stored', expected, loaded
      USING HINT = 'Run with the parameter reread=true to read the whole history again.';
  END IF;
END $$;

DELETE FROM repo_raw.watermark WHERE EXISTS (SELECT FROM repo_raw.pending_read);
INSERT INTO repo_raw.watermark (source, fingerprint, head, commit_count)
SELECT source, fingerprint, head, commit_count FROM repo_raw.pending_read;

DELETE FROM repo_raw.pending_read;
TRUNCATE repo_raw.new_commit, repo_raw.new_file_change, repo_raw.gone_commit;

COMMIT;

ANALYZE repo_raw.commit, repo_raw.file_change;
