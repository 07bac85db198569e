-- A run that was stopped may have left files half loaded. They are about to be written anew.
BEGIN;
DELETE FROM repo_raw.pending_read;
TRUNCATE repo_raw.new_commit, repo_raw.new_file_change, repo_raw.gone_commit;
COMMIT;
