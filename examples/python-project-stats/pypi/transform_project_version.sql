BEGIN;
SET LOCAL work_mem = '128MB';

DROP TABLE IF EXISTS pypi_dim_next.project_version;

CREATE TABLE pypi_dim_next.project_version (
  project_version_id   integer NOT NULL,
  project_version_name text    NOT NULL,
  project_fk           integer NOT NULL
);

INSERT INTO pypi_dim_next.project_version
SELECT row_number() OVER (ORDER BY project_id, project_version), project_version, project_id
FROM (SELECT DISTINCT project, project_version FROM pypi_tmp.project_version) AS version
JOIN pypi_dim_next.project ON project_name = project;

SELECT util.add_pk('pypi_dim_next.project_version', '{project_version_id}');
SELECT util.add_index('pypi_dim_next.project_version', '{project_fk,project_version_name}', is_unique => true);

COMMIT;

ANALYZE pypi_dim_next.project_version;
