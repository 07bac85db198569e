-- Emptied and filled in one transaction: the task can be tried again, and the server need not log the rows.
BEGIN;
SET LOCAL work_mem = '128MB';

TRUNCATE pypi_dim_next.download_counts_@chunk@;

INSERT INTO pypi_dim_next.download_counts_@chunk@
SELECT
  day_id,
  project_version_id,
  coalesce(installer_id, -1),
  coalesce(python_version_id, -1),
  number_of_downloads,
  @chunk@
FROM pypi_data.download_counts
JOIN pypi_dim_next.project ON project_name = project
JOIN pypi_dim_next.project_version
  ON project_fk = project_id AND project_version_name = coalesce(project_version, 'Unknown version')
LEFT JOIN pypi_dim_next.installer ON installer_name = installer
LEFT JOIN pypi_dim_next.python_version ON python_version_name = python_version
WHERE day_id IN (@days@);

COMMIT;

ANALYZE pypi_dim_next.download_counts_@chunk@;
