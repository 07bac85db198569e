SELECT util.add_fk('pp_dim_next.python_project_activity', 'time.day');
SELECT util.add_fk('pp_dim_next.python_project_activity', 'pypi_dim.project');
