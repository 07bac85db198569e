/** Tables for days, durations and hours, as reports join them. */
export const timeDimensions = String.raw`
CREATE SCHEMA IF NOT EXISTS @time@;

CREATE TABLE IF NOT EXISTS @time@.day (
  day_id integer PRIMARY KEY, -- 20260131
  day_name text NOT NULL, -- Sat, Jan 31 2026
  year_id integer NOT NULL,
  iso_year_id integer NOT NULL,
  quarter_id integer NOT NULL, -- 20261
  quarter_name text NOT NULL, -- 2026 Q1
  month_id integer NOT NULL, -- 202601
  month_name text NOT NULL, -- 2026 Jan
  week_id integer NOT NULL, -- 202605, of the ISO year
  week_name text NOT NULL, -- 2026 - CW 05
  day_of_week_id integer NOT NULL, -- 1 is Monday
  day_of_week_name text NOT NULL, -- Saturday
  day_of_month_id integer NOT NULL,
  _date date NOT NULL UNIQUE
);

CREATE TABLE IF NOT EXISTS @time@.duration (
  duration_id integer PRIMARY KEY, -- days, may be negative
  days integer NOT NULL,
  days_name text NOT NULL,
  weeks integer NOT NULL,
  weeks_name text NOT NULL,
  four_weeks integer NOT NULL,
  four_weeks_name text NOT NULL,
  months integer NOT NULL, -- of 30.4375 days
  months_name text NOT NULL,
  years integer NOT NULL, -- of 365.25 days
  years_name text NOT NULL
);

CREATE TABLE IF NOT EXISTS @time@.hour_of_day (
  hour_of_day_id integer PRIMARY KEY,
  hour_of_day_name text NOT NULL -- 07:00 - 07:59
);

-- Adds the days that are missing, the durations between any two of all days, and the hours.
CREATE OR REPLACE FUNCTION @time@.populate_time_dimensions(first_date date, last_date date) RETURNS void
LANGUAGE plpgsql AS $function$
DECLARE
  longest integer;
BEGIN
  -- The names of months and days are English, whatever the server speaks: no TM in the formats.
  INSERT INTO @time@.day
  SELECT to_char(d, 'YYYYMMDD')::integer, to_char(d, 'Dy, Mon DD YYYY'), extract(year FROM d), extract(isoyear FROM d),
    to_char(d, 'YYYYQ')::integer, to_char(d, 'YYYY "Q"Q'), to_char(d, 'YYYYMM')::integer, to_char(d, 'YYYY Mon'),
    to_char(d, 'IYYYIW')::integer, to_char(d, 'IYYY "- CW" IW'), extract(isodow FROM d), to_char(d, 'FMDay'), extract(day FROM d), d
  FROM (SELECT generate_series(first_date, last_date, '1 day')::date AS d) AS days
  ON CONFLICT DO NOTHING;
  longest := (SELECT max(_date) - min(_date) FROM @time@.day);
  INSERT INTO @time@.duration
  SELECT d, d, d || ' days', w, w || ' weeks', f, 4 * f || '-' || 4 * f + 3 || ' weeks', m, m || ' months', y, y || ' years'
  FROM generate_series(-longest, longest) AS d,
    LATERAL (SELECT floor(d / 7.0)::integer AS w, floor(d / 28.0)::integer AS f, floor(d / 30.4375)::integer AS m,
      floor(d / 365.25)::integer AS y) AS parts
  ON CONFLICT DO NOTHING;
  INSERT INTO @time@.hour_of_day
  SELECT h, lpad(h::text, 2, '0') || ':00 - ' || lpad(h::text, 2, '0') || ':59' FROM generate_series(0, 23) AS h
  ON CONFLICT DO NOTHING;
END
$function$;
`;
