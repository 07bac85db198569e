-- What has been read from git, as it came. These tables change only in apply_read.sql, in one transaction together
-- with the watermark, so that they always hold exactly the commits that are reachable from the watermark's head.
CREATE SCHEMA IF NOT EXISTS repo_raw;

CREATE TABLE IF NOT EXISTS repo_raw.commit (
  commit_hash       text COLLATE "C" PRIMARY KEY,
  parent_count      integer NOT NULL,
  author_name       text NOT NULL, -- by .mailmap
  author_email      text NOT NULL, -- by .mailmap
  author_seconds    bigint,        -- since 1970; NULL: git cannot read the date either
  author_utc_offset integer,       -- minutes east of Greenwich
  subject           text NOT NULL
);

CREATE TABLE IF NOT EXISTS repo_raw.file_change (
  commit_hash   text COLLATE "C" NOT NULL,
  position      integer NOT NULL, -- within the commit, from 1; a path can be too long for an index
  path          text NOT NULL,
  renamed_from  text,
  lines_added   bigint,           -- NULL: a binary file
  lines_deleted bigint,
  PRIMARY KEY (commit_hash, position)
);

-- One row: up to where the history has been applied, and whose history it is.
CREATE TABLE IF NOT EXISTS repo_raw.watermark (
  source       text NOT NULL,
  fingerprint  text NOT NULL, -- of all that the numbers depend on besides the commits
  head         text NOT NULL, -- empty: a history without commits
  commit_count bigint NOT NULL,
  applied_at   timestamptz NOT NULL DEFAULT now()
);

-- One row from the end of reading until it is applied: what the files that are being loaded must add up to.
CREATE TABLE IF NOT EXISTS repo_raw.pending_read (
  LIKE repo_raw.watermark INCLUDING DEFAULTS,
  is_complete   boolean NOT NULL, -- false: only what came after the watermark
  new_commits   bigint NOT NULL,
  new_changes   bigint NOT NULL,
  gone_commits  bigint NOT NULL
);

-- Where the files are loaded to. file_name says which file a row is from, so that loading one again replaces it.
CREATE UNLOGGED TABLE IF NOT EXISTS repo_raw.new_commit (file_name text NOT NULL, LIKE repo_raw.commit);
CREATE UNLOGGED TABLE IF NOT EXISTS repo_raw.new_file_change (file_name text NOT NULL, LIKE repo_raw.file_change);
CREATE UNLOGGED TABLE IF NOT EXISTS repo_raw.gone_commit (
  file_name   text NOT NULL,
  commit_hash text COLLATE "C" NOT NULL
);
