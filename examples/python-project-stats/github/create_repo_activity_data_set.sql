DROP TABLE IF EXISTS gh_dim_next.repo_activity_data_set;

CREATE TABLE gh_dim_next.repo_activity_data_set (
  "Date"                   date     NOT NULL,
  "User"                   text     NOT NULL,
  "Repo"                   text     NOT NULL,
  "# Forks"                integer,
  "# Commits"              integer,
  "# Closed pull requests" integer,
  _chunk                   smallint NOT NULL
) PARTITION BY LIST (_chunk);

SELECT util.create_chunk_partitions('gh_dim_next.repo_activity_data_set');
