DROP TABLE IF EXISTS pp_tmp.python_repo_activity;

CREATE TABLE pp_tmp.python_repo_activity (
  day_id                         integer  NOT NULL,
  project_id                     integer  NOT NULL,
  number_of_forks                integer,
  number_of_commits              integer,
  number_of_closed_pull_requests integer,
  chunk                          smallint NOT NULL -- of the day
) PARTITION BY LIST (chunk);

SELECT util.create_chunk_partitions('pp_tmp.python_repo_activity');
