-- Forks, commits and closed pull requests of one day, by repository. Events of today no longer say how many commits were
-- pushed; the number is then empty.
WITH
  event AS (
    SELECT
      SPLIT(repo.name, '/') AS names,
      IF(type = 'ForkEvent', 1, 0) AS forks,
      IF(type = 'PushEvent', SAFE_CAST(JSON_EXTRACT_SCALAR(payload, '$.distinct_size') AS INT64), 0) AS commits,
      IF(type = 'PullRequestEvent' AND JSON_EXTRACT_SCALAR(payload, '$.action') = 'closed', 1, 0) AS pull_requests
    FROM `githubarchive.day.@day_id@`
    WHERE type IN ('ForkEvent', 'PushEvent', 'PullRequestEvent')
  )
SELECT
  @day_id@ AS day_id,
  names[SAFE_OFFSET(0)] AS user,
  names[SAFE_OFFSET(1)] AS repository,
  NULLIF(SUM(forks), 0) AS number_of_forks,
  NULLIF(SUM(commits), 0) AS number_of_commits,
  NULLIF(SUM(pull_requests), 0) AS number_of_closed_pull_requests
FROM event
GROUP BY user, repository
HAVING user != '' AND repository != ''
  AND COALESCE(number_of_forks, number_of_commits, number_of_closed_pull_requests) IS NOT NULL
