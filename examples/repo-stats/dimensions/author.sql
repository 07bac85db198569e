-- People, told apart by their name after .mailmap, as `git shortlog` does.
DROP TABLE IF EXISTS repo_stats_next.author;

CREATE TABLE repo_stats_next.author (
  author_id integer PRIMARY KEY,
  name      text NOT NULL,
  emails    text[] NOT NULL
);

INSERT INTO repo_stats_next.author
SELECT row_number() OVER (ORDER BY author_name), author_name, array_agg(DISTINCT author_email)
FROM repo_raw.commit
GROUP BY author_name;

ANALYZE repo_stats_next.author;
