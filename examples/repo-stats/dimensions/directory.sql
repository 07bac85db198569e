-- The directories of all files that ever changed, with all directories above them.
DROP TABLE IF EXISTS repo_stats_next.directory;

CREATE TABLE repo_stats_next.directory (
  directory_id integer PRIMARY KEY,
  path         text NOT NULL, -- empty for the top
  depth        integer NOT NULL,
  parent_id    integer -- NULL for the top
);

INSERT INTO repo_stats_next.directory
WITH RECURSIVE
  directory AS (
    SELECT repo_stats_next.directory_of(path) AS path FROM (SELECT DISTINCT path FROM repo_raw.file_change) AS file
    UNION
    SELECT repo_stats_next.directory_of(path) FROM directory WHERE path <> ''
  ),
  numbered AS (
    SELECT row_number() OVER (ORDER BY path) AS directory_id, path FROM directory
  )
SELECT
  child.directory_id,
  child.path,
  cardinality(string_to_array(child.path, '/')),
  parent.directory_id
FROM numbered AS child
LEFT JOIN numbered AS parent ON child.path <> '' AND parent.path = repo_stats_next.directory_of(child.path);

ANALYZE repo_stats_next.directory;
