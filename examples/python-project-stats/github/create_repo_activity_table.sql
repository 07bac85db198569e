-- The columns are those of the files. When this script changes, everything is loaded again.
DROP TABLE IF EXISTS gh_data.repo_activity;

CREATE TABLE gh_data.repo_activity (
  day_id                         integer NOT NULL, -- 20180410
  "user"                         text    NOT NULL,
  repository                     text    NOT NULL,
  number_of_forks                integer,
  number_of_commits              integer,
  number_of_closed_pull_requests integer
) PARTITION BY LIST (day_id);
