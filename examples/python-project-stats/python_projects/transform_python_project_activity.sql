-- Emptied and filled in one transaction: the task can be tried again, and the server need not log the rows.
BEGIN;
SET LOCAL work_mem = '128MB';

TRUNCATE pp_dim_next.python_project_activity_@chunk@;

INSERT INTO pp_dim_next.python_project_activity_@chunk@
WITH downloads AS (
  SELECT day_fk AS day_id, project_fk AS project_id, sum(number_of_downloads) AS number_of_downloads
  FROM pypi_dim.download_counts
  JOIN pypi_dim.project_version ON project_version_id = project_version_fk
  WHERE _chunk = @chunk@
  GROUP BY day_fk, project_fk
)
SELECT
  day_id,
  project_id,
  number_of_downloads,
  number_of_forks,
  number_of_commits,
  number_of_closed_pull_requests,
  @chunk@
FROM downloads
FULL JOIN pp_tmp.python_repo_activity_@chunk@ USING (day_id, project_id);

SELECT util.add_index('pp_dim_next.python_project_activity_@chunk@', '{project_fk,day_fk}', is_unique => true);

COMMIT;

ANALYZE pp_dim_next.python_project_activity_@chunk@;
