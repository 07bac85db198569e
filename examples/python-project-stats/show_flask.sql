SELECT
  _date,
  project_name,
  number_of_downloads,
  number_of_forks,
  number_of_commits,
  number_of_closed_pull_requests
FROM pp_dim.python_project_activity
JOIN pypi_dim.project ON project_id = project_fk
JOIN time.day ON day_fk = day_id
WHERE project_name = 'flask'
ORDER BY day_fk DESC
LIMIT 10;
