/** The tables as docs/store.md describes them. */
import { sql, type Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`
    drop table millrace.incremental_copy_status, millrace.processed_file, millrace.file_dependency,
               millrace.system_statistics, millrace.node_output, millrace.node_run, millrace.run
  `.execute(db);
}

const statements = [
  sql`
    create table millrace.run (
      run_id bigint generated always as identity primary key,
      pipeline_path text[] not null,
      node_paths text[] not null,
      with_upstreams boolean not null,
      params jsonb not null default '{}',
      status text not null check (status in ('running', 'succeeded', 'failed', 'cancelled', 'lost')),
      started_at timestamptz not null,
      ended_at timestamptz,
      trigger text not null check (trigger in ('editor', 'cli', 'api', 'schedule')),
      started_by text not null,
      host text not null,
      pid integer not null,
      code_version text,
      runner_version text not null,
      resumed_from bigint,
      cancel_requested_at timestamptz,
      graph jsonb
    )`,
  // The history of one pipeline, newest first; that of all is the primary key read backwards.
  sql`create index run_pipeline_path on millrace.run (pipeline_path, run_id desc)`,
  // Retention.
  sql`create index run_started_at on millrace.run (started_at)`,
  // Which runs go on, and which of them are lost: asked at every opening.
  sql`create index run_running on millrace.run (run_id) where status = 'running'`,

  sql`
    create table millrace.node_run (
      node_run_id bigint primary key,
      run_id bigint not null references millrace.run on delete cascade,
      node_path text[] not null,
      kind text not null check (kind in ('pipeline', 'task', 'parallel')),
      attempt integer not null check (attempt >= 1),
      status text not null check (
        status in ('running', 'succeeded', 'failed', 'skipped', 'cancelled', 'unchanged', 'lost')
      ),
      started_at timestamptz,
      ended_at timestamptz,
      cost double precision not null default 0,
      rows_processed bigint,
      exit_code integer,
      error text,
      reason text
    )`,
  // One run's page; retention.
  sql`create index node_run_run on millrace.node_run (run_id)`,
  // One node's history, newest first: ids grow with those of the runs.
  sql`create index node_run_node_path on millrace.node_run (node_path, node_run_id desc)`,

  // Average durations: read without touching the table.
  sql`
    create index node_run_duration on millrace.node_run (node_path) include (started_at, ended_at)
     where status = 'succeeded' and kind <> 'pipeline'`,
  sql`
    create index node_run_pipeline_duration on millrace.node_run (node_path)
     where status = 'succeeded' and kind = 'pipeline'`,
  // What a list of runs says of those that failed.
  sql`create index node_run_failed on millrace.node_run (run_id) where status = 'failed'`,

  // No foreign key, and one index only that has all lines: storing lines is what limits a run that prints much.
  sql`
    create table millrace.node_output (
      node_run_id bigint not null,
      seq integer not null,
      at timestamptz not null,
      format text not null,
      is_error boolean not null,
      message text not null,
      primary key (node_run_id, seq)
    )`,
  // Errors only, and from one error to the next.
  sql`create index node_output_error on millrace.node_output (node_run_id, seq) where is_error`,

  sql`
    create table millrace.system_statistics (
      run_id bigint not null,
      at timestamptz not null,
      cpu double precision,
      memory double precision,
      swap double precision,
      disk_read double precision,
      disk_write double precision,
      net_received double precision,
      net_sent double precision,
      primary key (run_id, at)
    )`,

  sql`
    create table millrace.file_dependency (
      node_path text[] not null,
      dependency_type text not null,
      hash text not null,
      at timestamptz not null default now(),
      primary key (node_path, dependency_type)
    )`,

  sql`
    create table millrace.processed_file (
      node_path text[] not null,
      file_name text not null,
      last_modified_at timestamptz not null,
      primary key (node_path, file_name)
    )`,

  sql`
    create table millrace.incremental_copy_status (
      node_path text[] not null,
      source_table text not null,
      last_comparison_value text not null,
      primary key (node_path, source_table)
    )`,
];
