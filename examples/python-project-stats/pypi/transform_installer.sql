DROP TABLE IF EXISTS pypi_dim_next.installer;

CREATE TABLE pypi_dim_next.installer (
  installer_id   smallint NOT NULL,
  installer_name text     NOT NULL
);

INSERT INTO pypi_dim_next.installer VALUES (-1, 'Unknown installer');

INSERT INTO pypi_dim_next.installer
SELECT row_number() OVER (ORDER BY installer), installer
FROM (SELECT DISTINCT installer FROM pypi_tmp.client WHERE installer IS NOT NULL) AS known;

SELECT util.add_pk('pypi_dim_next.installer', '{installer_id}');
SELECT util.add_index('pypi_dim_next.installer', '{installer_name}', is_unique => true);
ANALYZE pypi_dim_next.installer;
