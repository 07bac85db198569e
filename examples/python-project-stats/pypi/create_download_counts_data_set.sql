DROP TABLE IF EXISTS pypi_dim_next.download_counts_data_set;

CREATE TABLE pypi_dim_next.download_counts_data_set (
  "Download date"   date     NOT NULL,
  "Project"         text     NOT NULL,
  "Project version" text     NOT NULL,
  "Installer"       text     NOT NULL,
  "Python version"  text     NOT NULL,
  "# Downloads"     integer  NOT NULL,
  _chunk            smallint NOT NULL
) PARTITION BY LIST (_chunk);

SELECT util.create_chunk_partitions('pypi_dim_next.download_counts_data_set');
