-- Emptied and filled in one transaction: the task can be tried again, and the server need not log the rows.
BEGIN;
SET LOCAL work_mem = '128MB';

TRUNCATE pypi_dim_next.download_counts_data_set_@chunk@;

INSERT INTO pypi_dim_next.download_counts_data_set_@chunk@
SELECT
  to_date(day_fk::text, 'YYYYMMDD'),
  project_name,
  project_version_name,
  installer_name,
  python_version_name,
  number_of_downloads,
  _chunk
FROM pypi_dim_next.download_counts_@chunk@
JOIN pypi_dim_next.project_version ON project_version_id = project_version_fk
JOIN pypi_dim_next.project ON project_id = project_fk
JOIN pypi_dim_next.installer ON installer_id = installer_fk
JOIN pypi_dim_next.python_version ON python_version_id = python_version_fk;

COMMIT;

ANALYZE pypi_dim_next.download_counts_data_set_@chunk@;
