-- Downloads of one day, by version and client. Reads one partition of the table.
SELECT
  @day_id@ AS day_id,
  file.project AS project,
  file.version AS project_version,
  REGEXP_EXTRACT(details.python, r'^([^.]+\.[^.]+)') AS python_version,
  details.installer.name AS installer,
  COUNT(*) AS number_of_downloads
FROM `bigquery-public-data.pypi.file_downloads`
WHERE timestamp >= TIMESTAMP('@day@') AND timestamp < TIMESTAMP(DATE_ADD(DATE '@day@', INTERVAL 1 DAY))
  AND file.project != ''
GROUP BY project, project_version, python_version, installer
