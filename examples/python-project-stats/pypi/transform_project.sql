BEGIN;
SET LOCAL work_mem = '128MB';

INSERT INTO pypi_data.project_id (project_name)
SELECT DISTINCT project
FROM pypi_tmp.project_version
WHERE NOT EXISTS (SELECT FROM pypi_data.project_id WHERE project_name = project)
ORDER BY project;

DROP TABLE IF EXISTS pypi_dim_next.project;

CREATE TABLE pypi_dim_next.project (
  project_id   integer NOT NULL,
  project_name text    NOT NULL
);

INSERT INTO pypi_dim_next.project
SELECT project_id, project_name
FROM pypi_data.project_id
WHERE project_name IN (SELECT project FROM pypi_tmp.project_version);

SELECT util.add_pk('pypi_dim_next.project', '{project_id}');
SELECT util.add_index('pypi_dim_next.project', '{project_name}', is_unique => true);

COMMIT;

ANALYZE pypi_dim_next.project;
