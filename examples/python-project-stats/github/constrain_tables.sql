SELECT util.add_fk('gh_dim_next.repo_activity', 'time.day');
SELECT util.add_fk('gh_dim_next.repo_activity', 'gh_dim_next.repo');
