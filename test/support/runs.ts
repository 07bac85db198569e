/** What tests of the store say about runs and their nodes. */
import type {
  NodeFinished,
  NodeSkipped,
  NodeStarted,
  OutputBatch,
  RunFinished,
} from '../../runner/events.ts';
import type { NodePath, RunOutcome } from '../../runner/model.ts';
import type { NewRun, RunRecorder } from '../../runner/store/run-recorder.ts';

/** A run of the pipeline `demo`, as the command line would start it. */
export function newRun(overrides: Partial<NewRun> = {}): NewRun {
  return {
    pipelinePath: ['demo'],
    nodePaths: [],
    withUpstreams: false,
    params: {},
    trigger: 'cli',
    startedBy: 'ann',
    codeVersion: null,
    runnerVersion: '0.1.0',
    resumedFrom: null,
    graph: null,
    ...overrides,
  };
}

type Recorded = Pick<RunRecorder, 'runId' | 'startedAt'>;

/** An ISO time so many seconds after the run's start. */
export function timeAt(recorder: Recorded, second: number): string {
  return new Date(recorder.startedAt.getTime() + second * 1000).toISOString();
}

export function started(
  recorder: Recorded,
  nodePath: NodePath,
  overrides: Partial<NodeStarted> = {},
): NodeStarted {
  return {
    type: 'node_started',
    runId: recorder.runId,
    nodePath,
    attempt: 1,
    time: timeAt(recorder, 0),
    kind: 'task',
    cost: 0,
    expectedDuration: null,
    ...overrides,
  };
}

/** By default it succeeds after one second. */
export function ended(
  recorder: Recorded,
  nodePath: NodePath,
  overrides: Partial<NodeFinished> = {},
): NodeFinished {
  return {
    type: 'node_finished',
    runId: recorder.runId,
    nodePath,
    attempt: 1,
    time: timeAt(recorder, 1),
    kind: 'task',
    status: 'succeeded',
    startedAt: timeAt(recorder, 0),
    duration: 1,
    exitCode: 0,
    error: null,
    reason: null,
    rowsProcessed: null,
    retryIn: null,
    ...overrides,
  };
}

export function skipped(
  recorder: Recorded,
  nodePath: NodePath,
  reason: string,
  cause: NodePath,
): NodeSkipped {
  return {
    type: 'node_skipped',
    runId: recorder.runId,
    nodePath,
    attempt: 1,
    time: timeAt(recorder, 1),
    kind: 'task',
    reason,
    cause,
  };
}

export function finished(recorder: Recorded, status: RunOutcome): RunFinished {
  return {
    type: 'run_finished',
    runId: recorder.runId,
    nodePath: ['demo'],
    attempt: 0,
    time: timeAt(recorder, 2),
    status,
    duration: 2,
    counts: { succeeded: 0, failed: 0, skipped: 0, cancelled: 0, unchanged: 0, lost: 0 },
    notes: [],
  };
}

export function lines(
  recorder: Recorded,
  nodeRunId: number,
  firstSeq: number,
  text: string,
  overrides: Partial<OutputBatch> = {},
): OutputBatch {
  return {
    nodePath: ['demo', 'task'],
    attempt: 1,
    nodeRunId,
    firstSeq,
    time: recorder.startedAt.getTime(),
    format: 'verbatim',
    isError: false,
    text,
    ...overrides,
  };
}
