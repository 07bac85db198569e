-- Every path that ever changed. A renamed file is two files here: the old path up to the rename, the new one from it.
DROP TABLE IF EXISTS repo_stats_next.file;

CREATE TABLE repo_stats_next.file (
  file_id      integer PRIMARY KEY,
  path         text NOT NULL,
  directory_id integer NOT NULL,
  extension    text NOT NULL -- lower case, without the dot; empty when there is none
);

INSERT INTO repo_stats_next.file
SELECT
  row_number() OVER (ORDER BY file.path),
  file.path,
  directory.directory_id,
  coalesce(lower(substring(file.path FROM '[^/]\.([^./]+)$')), '')
FROM (SELECT DISTINCT path FROM repo_raw.file_change) AS file
JOIN repo_stats_next.directory ON directory.path = repo_stats_next.directory_of(file.path);

ANALYZE repo_stats_next.file;
