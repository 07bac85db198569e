DROP TABLE IF EXISTS pypi_tmp.project_version, pypi_tmp.client;

CREATE TABLE pypi_tmp.project_version (
  chunk           smallint NOT NULL,
  project         text     NOT NULL,
  project_version text     NOT NULL
) PARTITION BY LIST (chunk);

CREATE TABLE pypi_tmp.client (
  chunk          smallint NOT NULL,
  installer      text,
  python_version text
) PARTITION BY LIST (chunk);

SELECT util.create_chunk_partitions('pypi_tmp.project_version');
SELECT util.create_chunk_partitions('pypi_tmp.client');
