SELECT util.add_fk('pypi_dim_next.project_version', 'pypi_dim_next.project');
SELECT util.add_fk('pypi_dim_next.download_counts', 'time.day');
SELECT util.add_fk('pypi_dim_next.download_counts', 'pypi_dim_next.project_version');
SELECT util.add_fk('pypi_dim_next.download_counts', 'pypi_dim_next.installer');
SELECT util.add_fk('pypi_dim_next.download_counts', 'pypi_dim_next.python_version');
