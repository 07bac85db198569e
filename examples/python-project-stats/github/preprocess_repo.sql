-- Empties the partition first, so that a task can be tried again.
TRUNCATE gh_tmp.repo_@chunk@;

INSERT INTO gh_tmp.repo_@chunk@
SELECT DISTINCT @chunk@, "user", repository
FROM gh_data.repo_activity
WHERE day_id IN (@days@);

ANALYZE gh_tmp.repo_@chunk@;
