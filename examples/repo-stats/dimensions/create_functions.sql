-- The time on the author's clock; NULL when the commit has no readable date, or none between the years 1 and 9999.
CREATE OR REPLACE FUNCTION repo_stats_next.author_time(seconds bigint, utc_offset integer) RETURNS timestamp
LANGUAGE sql IMMUTABLE
RETURN CASE
  WHEN seconds BETWEEN -62135596800 AND 253402300799
  THEN timestamp '1970-01-01' + make_interval(secs => seconds, mins => utc_offset)
END;

-- The directory part of a path; empty at the top.
CREATE OR REPLACE FUNCTION repo_stats_next.directory_of(path text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN regexp_replace(path, '/?[^/]*$', '');
