DROP TABLE IF EXISTS pypi_dim_next.python_version;

CREATE TABLE pypi_dim_next.python_version (
  python_version_id   smallint NOT NULL,
  python_version_name text     NOT NULL
);

INSERT INTO pypi_dim_next.python_version VALUES (-1, 'Unknown Python version');

INSERT INTO pypi_dim_next.python_version
SELECT row_number() OVER (ORDER BY python_version), python_version
FROM (SELECT DISTINCT python_version FROM pypi_tmp.client WHERE python_version IS NOT NULL) AS known;

SELECT util.add_pk('pypi_dim_next.python_version', '{python_version_id}');
SELECT util.add_index('pypi_dim_next.python_version', '{python_version_name}', is_unique => true);
ANALYZE pypi_dim_next.python_version;
