/** Going on with a run that did not succeed: its selection and parameters again, without what succeeded. */
import { isPipeline } from '../api/node.ts';
import type { Pipeline } from '../api/pipeline.ts';
import { formatPath, type ParameterValue } from '../model.ts';
import { resumeState } from '../store/resume-state.ts';
import type { Store } from '../store/store.ts';
import { UsageError } from './errors.ts';
import { findNode } from './plan.ts';
import type { RunSelection } from './selection.ts';

export interface ResumeSettings {
  readonly selection: RunSelection;
  readonly params: Readonly<Record<string, ParameterValue>>;
  readonly resume: {
    readonly runId: number;
    readonly succeeded: ReadonlySet<string>;
    readonly chain: string;
  };
}

/**
 * What the run had and did.
 *
 * @param params Values that are given anew; they replace those of the run.
 * @throws {UsageError} when there is no such run, it still goes on, has nothing left to do, or its nodes are gone.
 */
export async function resumeSettings(
  store: Store,
  root: Pipeline,
  runId: number,
  params: Readonly<Record<string, ParameterValue>>,
): Promise<ResumeSettings> {
  const run = await resumeState(store, runId);
  if (run === null)
    throw new UsageError(`There is no run ${String(runId)} in this project. See "millrace runs".`);
  if (run.status === 'running') {
    throw new UsageError(
      `Run ${String(runId)} is still going on. Wait for it, or end it with "millrace cancel ${String(runId)}".`,
    );
  }
  if (run.status === 'succeeded')
    throw new UsageError(`Run ${String(runId)} succeeded: there is nothing left to run.`);
  const pipeline = findNode(root, run.pipelinePath);
  if (!isPipeline(pipeline)) {
    throw new UsageError(
      `"${formatPath(run.pipelinePath)}", which run ${String(runId)} ran, is not a pipeline any more.`,
    );
  }
  for (const path of run.nodePaths) findNode(root, path);
  return {
    selection: { pipeline, nodePaths: run.nodePaths, withUpstreams: run.withUpstreams },
    params: { ...run.params, ...params },
    resume: { runId, succeeded: run.succeeded, chain: run.chain },
  };
}
