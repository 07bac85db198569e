BEGIN;
SET LOCAL work_mem = '128MB';

DROP TABLE IF EXISTS gh_dim_next.repo;

CREATE TABLE gh_dim_next.repo (
  repo_id   integer NOT NULL,
  user_name text    NOT NULL,
  repo_name text    NOT NULL
);

INSERT INTO gh_dim_next.repo
SELECT row_number() OVER (), user_name, repo_name
FROM (SELECT DISTINCT user_name, repo_name FROM gh_tmp.repo) AS repo;

SELECT util.add_pk('gh_dim_next.repo', '{repo_id}');
SELECT util.add_index('gh_dim_next.repo', '{repo_name,user_name}', is_unique => true);

COMMIT;

ANALYZE gh_dim_next.repo;
