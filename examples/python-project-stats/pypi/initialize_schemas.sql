-- Stays from run to run: what was read.
CREATE SCHEMA IF NOT EXISTS pypi_data;

-- Ids of projects are given once, because python_projects stores them in another schema: until that is rebuilt, too, its
-- tables fit to the new ones.
CREATE TABLE IF NOT EXISTS pypi_data.project_id (
  project_id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  project_name text NOT NULL UNIQUE
);

-- Intermediate results.
DROP SCHEMA IF EXISTS pypi_tmp CASCADE;
CREATE SCHEMA pypi_tmp;

-- The tables that become pypi_dim in the end.
DROP SCHEMA IF EXISTS pypi_dim_next CASCADE;
CREATE SCHEMA pypi_dim_next;
