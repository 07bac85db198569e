DROP TABLE IF EXISTS pp_dim_next.python_project_activity;

CREATE TABLE pp_dim_next.python_project_activity (
  day_fk                         integer  NOT NULL,
  project_fk                     integer  NOT NULL,
  -- Empty where there was none.
  number_of_downloads            integer,
  number_of_forks                integer,
  number_of_commits              integer,
  number_of_closed_pull_requests integer,
  _chunk                         smallint NOT NULL -- of the day
) PARTITION BY LIST (_chunk);

SELECT util.create_chunk_partitions('pp_dim_next.python_project_activity');
