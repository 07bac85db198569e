-- Stays from run to run: what was read.
CREATE SCHEMA IF NOT EXISTS gh_data;

-- Intermediate results.
DROP SCHEMA IF EXISTS gh_tmp CASCADE;
CREATE SCHEMA gh_tmp;

-- The tables that become gh_dim in the end.
DROP SCHEMA IF EXISTS gh_dim_next CASCADE;
CREATE SCHEMA gh_dim_next;
