DROP TABLE IF EXISTS gh_tmp.repo;

CREATE TABLE gh_tmp.repo (
  chunk     smallint NOT NULL,
  user_name text     NOT NULL,
  repo_name text     NOT NULL
) PARTITION BY LIST (chunk);

SELECT util.create_chunk_partitions('gh_tmp.repo');
