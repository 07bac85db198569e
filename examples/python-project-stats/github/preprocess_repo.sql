-- Emptied and filled in one transaction: the task can be tried again, and the server need not log the rows.
BEGIN;
SET LOCAL work_mem = '128MB';

TRUNCATE gh_tmp.repo_@chunk@;

INSERT INTO gh_tmp.repo_@chunk@
SELECT DISTINCT @chunk@, "user", repository
FROM gh_data.repo_activity
WHERE day_id IN (@days@);

COMMIT;

ANALYZE gh_tmp.repo_@chunk@;
