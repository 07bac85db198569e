/** Two runs that are at work on the same nodes would get in each other's way: the second is refused. */
import type { Client } from 'pg';
import { formatPath, isAtOrBelow, parsePath, type NodePath } from '../model.ts';
import { endQuietly, isConnectionLost } from '../store/connection.ts';
import { errorMessage, StoreError } from '../store/errors.ts';
import { IS_ALIVE_SQL } from '../store/run-lock.ts';
import type { RunRecorder } from '../store/run-recorder.ts';
import { UsageError } from './errors.ts';

/** Held while a run looks for others and makes its own row, so that two that start at once see each other. */
const startLock = 0x4d525354;

interface Wanted {
  readonly pipelinePath: NodePath;
  readonly nodePaths: readonly NodePath[];
}

/**
 * Begins a run, unless a run that is alive overlaps with it.
 *
 * @param client Ended when the run is refused.
 * @throws {UsageError} that names the other run.
 * @throws {StoreError} when the store goes away in this moment.
 */
export async function startGuarded(
  client: Client,
  wanted: Wanted,
  allowConcurrent: boolean,
  begin: () => Promise<RunRecorder>,
): Promise<RunRecorder> {
  try {
    return allowConcurrent ? await begin() : await startAlone(client, wanted, begin);
  } catch (error) {
    if (!isConnectionLost(error)) throw error;
    throw new StoreError(
      'unreachable',
      `The store went away before the run could begin: ${errorMessage(error)}. Nothing has run; try again.`,
      { cause: error },
    );
  }
}

async function startAlone(
  client: Client,
  wanted: Wanted,
  begin: () => Promise<RunRecorder>,
): Promise<RunRecorder> {
  try {
    await client.query('SELECT pg_advisory_lock($1)', [startLock]);
    const other = (await aliveRuns(client)).find(run => overlaps(run, wanted));
    if (other !== undefined) throw new UsageError(refusal(other));
  } catch (error) {
    await endQuietly(client);
    throw error;
  }
  const recorder = await begin();
  await client.query('SELECT pg_advisory_unlock($1)', [startLock]);
  return recorder;
}

function refusal({ runId, pipelinePath, startedAt }: AliveRun): string {
  const what = pipelinePath.length === 0 ? 'the whole project' : `"${formatPath(pipelinePath)}"`;
  const id = String(runId);
  return (
    `Run ${id} of ${what} has been at work on the same nodes since ${startedAt.toISOString()}. ` +
    `Wait for it, end it with "millrace cancel ${id}", or start this one beside it with --allow-concurrent.`
  );
}

interface AliveRun extends Wanted {
  readonly runId: number;
  readonly startedAt: Date;
}

async function aliveRuns(client: Client): Promise<AliveRun[]> {
  const { rows } = await client.query<{
    run_id: number;
    pipeline_path: string[];
    node_paths: string[];
    started_at: Date;
  }>(
    `SELECT run_id, pipeline_path, node_paths, started_at FROM run
    WHERE status = 'running' AND ${IS_ALIVE_SQL('run_id')} ORDER BY run_id`,
  );
  return rows.map(row => ({
    runId: row.run_id,
    pipelinePath: row.pipeline_path,
    nodePaths: row.node_paths.map(parsePath),
    startedAt: row.started_at,
  }));
}

/** Whether a node belongs to both: what is selected in one lies at, above or below what is selected in the other. */
export function overlaps(one: Wanted, other: Wanted): boolean {
  const selectedIn = ({ pipelinePath, nodePaths }: Wanted): readonly NodePath[] =>
    nodePaths.length === 0 ? [pipelinePath] : nodePaths;
  return selectedIn(one).some(a => selectedIn(other).some(b => isAtOrBelow(a, b) || isAtOrBelow(b, a)));
}
