-- The days on which somebody committed, by the author's own clock. Dates that no calendar has (git keeps what it is
-- given) stay out; their commits have no day.
DROP TABLE IF EXISTS repo_stats_next.day;

CREATE TABLE repo_stats_next.day (
  day     date PRIMARY KEY,
  week    date NOT NULL, -- its Monday
  month   date NOT NULL, -- its first day
  year    integer NOT NULL,
  weekday integer NOT NULL -- 1 is Monday
);

INSERT INTO repo_stats_next.day
SELECT DISTINCT
  day::date,
  date_trunc('week', day)::date,
  date_trunc('month', day)::date,
  extract(year FROM day)::integer,
  extract(isodow FROM day)::integer
FROM repo_raw.commit
CROSS JOIN LATERAL repo_stats_next.author_time(author_seconds, author_utc_offset) AS day
WHERE day IS NOT NULL;

ANALYZE repo_stats_next.day;
