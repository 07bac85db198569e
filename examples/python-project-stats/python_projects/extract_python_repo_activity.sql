-- Emptied and filled in one transaction: the task can be tried again, and the server need not log the rows.
BEGIN;
SET LOCAL work_mem = '128MB';

TRUNCATE pp_tmp.python_repo_activity_@chunk@;

INSERT INTO pp_tmp.python_repo_activity_@chunk@
SELECT
  day_fk,
  project_id,
  sum(number_of_forks),
  sum(number_of_commits),
  sum(number_of_closed_pull_requests),
  @chunk@
FROM gh_dim.repo_activity
JOIN gh_dim.repo ON repo_id = repo_fk
JOIN pypi_dim.project ON project_name = repo_name
WHERE _chunk = @chunk@
GROUP BY day_fk, project_id;

COMMIT;

ANALYZE pp_tmp.python_repo_activity_@chunk@;
