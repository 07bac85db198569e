-- Emptied and filled in one transaction: the task can be tried again, and the server need not log the rows.
BEGIN;
SET LOCAL work_mem = '128MB';

TRUNCATE pp_dim_next.python_project_activity_data_set_@chunk@;

INSERT INTO pp_dim_next.python_project_activity_data_set_@chunk@
SELECT
  to_date(day_fk::text, 'YYYYMMDD'),
  project_name,
  number_of_downloads,
  number_of_forks,
  number_of_commits,
  number_of_closed_pull_requests,
  _chunk
FROM pp_dim_next.python_project_activity_@chunk@
JOIN pypi_dim.project ON project_id = project_fk;

COMMIT;

ANALYZE pp_dim_next.python_project_activity_data_set_@chunk@;
