DROP TABLE IF EXISTS pp_tmp.python_repo_activity;

CREATE TABLE pp_tmp.python_repo_activity (
  chunk                          smallint NOT NULL, -- of the day
  day_id                         integer  NOT NULL,
  project_id                     integer  NOT NULL,
  number_of_forks                integer,
  number_of_commits              integer,
  number_of_closed_pull_requests integer
);

INSERT INTO pp_tmp.python_repo_activity
SELECT
  _chunk,
  day_fk,
  project_id,
  sum(number_of_forks),
  sum(number_of_commits),
  sum(number_of_closed_pull_requests)
FROM gh_dim.repo_activity
JOIN gh_dim.repo ON repo_id = repo_fk
JOIN pypi_dim.project ON project_name = repo_name
GROUP BY _chunk, day_fk, project_id;

ANALYZE pp_tmp.python_repo_activity;
