-- The columns are those of the files. When this script changes, everything is loaded again.
DROP TABLE IF EXISTS pypi_data.download_counts;

CREATE TABLE pypi_data.download_counts (
  day_id              integer NOT NULL, -- 20180410
  project             text    NOT NULL,
  project_version     text,
  python_version      text, -- 2.7
  installer           text, -- pip
  number_of_downloads integer NOT NULL
) PARTITION BY LIST (day_id);
