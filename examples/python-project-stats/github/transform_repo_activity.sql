-- Emptied and filled in one transaction: the task can be tried again, and the server need not log the rows.
BEGIN;
SET LOCAL work_mem = '128MB';

TRUNCATE gh_dim_next.repo_activity_@chunk@;

INSERT INTO gh_dim_next.repo_activity_@chunk@
SELECT day_id, repo_id, number_of_forks, number_of_commits, number_of_closed_pull_requests, @chunk@
FROM gh_data.repo_activity
JOIN gh_dim_next.repo ON repo_name = repository AND user_name = "user"
WHERE day_id IN (@days@);

COMMIT;

ANALYZE gh_dim_next.repo_activity_@chunk@;
