/** What a run that resumes another one takes over from it. */
import type { Client } from 'pg';
import { formatPath, parsePath, type NodePath, type ParameterValue, type RunStatus } from '../model.ts';
import type { Store } from './store.ts';

export interface ResumeState {
  readonly runId: number;
  readonly status: RunStatus;
  readonly pipelinePath: NodePath;
  readonly nodePaths: readonly NodePath[];
  readonly withUpstreams: boolean;
  readonly params: Readonly<Record<string, ParameterValue>>;
  /** Paths (`a/b`) of the tasks and parallel tasks that need not run again: their last attempt succeeded or found nothing to do. */
  readonly succeeded: ReadonlySet<string>;
  /** Those that did not succeed: their last attempt failed, was cancelled or lost, or they were skipped. */
  readonly unsuccessful: ReadonlySet<string>;
  /** Names the run and those that it resumed: the first one's id and start. */
  readonly chain: string;
}

/**
 * @returns `null` when there is no such run. A run that resumed another one stands on what that one did, so the whole
 * chain is looked at.
 */
export async function resumeState(from: Store | Client, runId: number): Promise<ResumeState | null> {
  const client = 'databaseName' in from ? await from.connect() : from;
  try {
    const { rows: runs } = await client.query<{
      status: RunStatus;
      pipeline_path: string[];
      node_paths: string[];
      with_upstreams: boolean;
      params: Readonly<Record<string, ParameterValue>>;
    }>('SELECT status, pipeline_path, node_paths, with_upstreams, params FROM run WHERE run_id = $1', [
      runId,
    ]);
    const [run] = runs;
    if (run === undefined) return null;

    const { rows: chain } = await client.query<{ run_id: number; started_at: Date }>(
      `WITH RECURSIVE chain AS (
        SELECT run_id, resumed_from, started_at FROM run WHERE run_id = $1
        UNION
        SELECT earlier.run_id, earlier.resumed_from, earlier.started_at FROM chain JOIN run earlier ON earlier.run_id = chain.resumed_from
      )
      SELECT run_id, started_at FROM chain ORDER BY run_id`,
      [runId],
    );
    const { rows } = await client.query<{ node_path: string[]; done: boolean }>(
      `SELECT DISTINCT ON (node_path) node_path, status IN ('succeeded', 'unchanged') AS done FROM node_run
      WHERE run_id = ANY ($1::bigint[]) AND kind <> 'pipeline' ORDER BY node_path, node_run_id DESC`,
      [chain.map(run => run.run_id)],
    );
    const [first] = chain;
    const paths = (done: boolean): Set<string> =>
      new Set(rows.filter(row => row.done === done).map(row => formatPath(row.node_path)));
    return {
      runId,
      status: run.status,
      pipelinePath: run.pipeline_path,
      nodePaths: run.node_paths.map(parsePath),
      withUpstreams: run.with_upstreams,
      params: run.params,
      succeeded: paths(true),
      unsuccessful: paths(false),
      chain: first === undefined ? '' : `${String(first.run_id)}@${first.started_at.toISOString()}`,
    };
  } finally {
    if (client !== from) await client.end();
  }
}
