DROP TABLE IF EXISTS pp_dim_next.python_project_activity_data_set;

CREATE TABLE pp_dim_next.python_project_activity_data_set (
  "Date"                   date     NOT NULL,
  "Project"                text     NOT NULL,
  "# Downloads"            integer,
  "# Forks"                integer,
  "# Commits"              integer,
  "# Closed pull requests" integer,
  _chunk                   smallint NOT NULL
) PARTITION BY LIST (_chunk);

SELECT util.create_chunk_partitions('pp_dim_next.python_project_activity_data_set');
