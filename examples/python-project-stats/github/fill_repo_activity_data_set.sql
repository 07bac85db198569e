-- Emptied and filled in one transaction: the task can be tried again, and the server need not log the rows.
BEGIN;
SET LOCAL work_mem = '128MB';

TRUNCATE gh_dim_next.repo_activity_data_set_@chunk@;

INSERT INTO gh_dim_next.repo_activity_data_set_@chunk@
SELECT
  to_date(day_fk::text, 'YYYYMMDD'),
  user_name,
  repo_name,
  number_of_forks,
  number_of_commits,
  number_of_closed_pull_requests,
  _chunk
FROM gh_dim_next.repo_activity_@chunk@
JOIN gh_dim_next.repo ON repo_id = repo_fk;

COMMIT;

ANALYZE gh_dim_next.repo_activity_data_set_@chunk@;
