-- Intermediate results.
DROP SCHEMA IF EXISTS pp_tmp CASCADE;
CREATE SCHEMA pp_tmp;

-- The tables that become pp_dim in the end.
DROP SCHEMA IF EXISTS pp_dim_next CASCADE;
CREATE SCHEMA pp_dim_next;
