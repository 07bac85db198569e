/** One run with everything but its output, and what can be said about its progress. */
import { formatPath } from '../model.ts';
import type { NodeRunRecord, RunDetailsRecord, RunRecord } from '../records.ts';
import type { AverageDurations } from '../scheduler/cost.ts';
import { getRun, type RunDetails } from '../store/history.ts';
import { resumeState } from '../store/resume-state.ts';
import type { Store } from '../store/store.ts';
import { criticalPath } from './critical-path.ts';
import { graphOfRun } from './graph-plan.ts';
import {
  expectedRecord,
  expectedWork,
  peakConcurrency,
  runProgress,
  type ExpectedWork,
} from './run-progress.ts';
import { toNodeRunRecord, toRunRecord } from './run-records.ts';

/** Details with what later pictures of the same run are computed on. */
export interface ReadRun {
  readonly details: RunDetailsRecord;
  readonly work: ExpectedWork;
}

/**
 * @param averages of all nodes of the project
 * @returns `null` when there is no such run.
 */
export async function readRunDetails(
  store: Store,
  runId: number,
  averages: Promise<AverageDurations>,
): Promise<ReadRun | null> {
  const [found, known] = await Promise.all([getRun(store, runId), averages]);
  if (found === null) return null;
  const unrepeated = await unrepeatedNodes(store, found);
  const { nodePaths, withUpstreams } = found;
  const graph =
    found.graph === null ? null : graphOfRun(found.graph, { nodePaths, withUpstreams, unrepeated });
  const work = expectedWork(graph, known);
  const nodeRuns = found.nodeRuns.map(toNodeRunRecord);
  const run = toRunRecord(found);
  const expected = expectedRecord(known, [
    ...(graph?.nodes ?? []),
    ...nodeRuns.map(({ nodePath }) => ({ path: nodePath })),
  ]);
  return {
    work,
    details: {
      run,
      graph: found.graph,
      nodeRuns,
      expected,
      ...picture(work, run, nodeRuns, peakConcurrency(nodeRuns), store.clock()),
    },
  };
}

/** How a run stands, from what is known of its attempts. */
export function picture(
  work: ExpectedWork,
  run: RunRecord,
  nodeRuns: readonly NodeRunRecord[],
  slots: number,
  now: number,
): Pick<RunDetailsRecord, 'progress' | 'criticalPath'> {
  return {
    progress: runProgress(work, { nodeRuns, ended: run.status !== 'running', now, slots }),
    criticalPath: criticalPath(work.graph, nodeRuns),
  };
}

/** What the run that was resumed had done. */
async function unrepeatedNodes(store: Store, run: RunDetails): Promise<ReadonlySet<string>> {
  if (run.resumedFrom === null) return new Set();
  const state = await resumeState(store, run.resumedFrom);
  if (state === null) return new Set();
  // A node that ran again did not count as done.
  const ran = new Set(run.nodeRuns.map(({ nodePath }) => formatPath(nodePath)));
  return state.succeeded.difference(ran);
}
