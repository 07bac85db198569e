-- Emptied and filled in one transaction: the task can be tried again, and the server need not log the rows.
BEGIN;
SET LOCAL work_mem = '128MB';

TRUNCATE pypi_tmp.project_version_@chunk@;

INSERT INTO pypi_tmp.project_version_@chunk@
SELECT DISTINCT @chunk@, project, coalesce(project_version, 'Unknown version')
FROM pypi_data.download_counts
WHERE day_id IN (@days@);

TRUNCATE pypi_tmp.client_@chunk@;

INSERT INTO pypi_tmp.client_@chunk@
SELECT DISTINCT @chunk@, installer, python_version
FROM pypi_data.download_counts
WHERE day_id IN (@days@);

COMMIT;

ANALYZE pypi_tmp.project_version_@chunk@;
