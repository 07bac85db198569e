DROP TABLE IF EXISTS gh_dim_next.repo_activity;

CREATE TABLE gh_dim_next.repo_activity (
  day_fk                         integer  NOT NULL,
  repo_fk                        integer  NOT NULL,
  number_of_forks                integer,
  number_of_commits              integer,
  number_of_closed_pull_requests integer,
  _chunk                         smallint NOT NULL -- of the day
) PARTITION BY LIST (_chunk);

SELECT util.create_chunk_partitions('gh_dim_next.repo_activity');
