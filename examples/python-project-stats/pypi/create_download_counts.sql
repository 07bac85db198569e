DROP TABLE IF EXISTS pypi_dim_next.download_counts;

CREATE TABLE pypi_dim_next.download_counts (
  day_fk              integer  NOT NULL,
  project_version_fk  integer  NOT NULL,
  installer_fk        smallint NOT NULL,
  python_version_fk   smallint NOT NULL,
  number_of_downloads integer  NOT NULL,
  _chunk              smallint NOT NULL -- of the day
) PARTITION BY LIST (_chunk);

SELECT util.create_chunk_partitions('pypi_dim_next.download_counts');
