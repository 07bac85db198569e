/** What is known of a run when it begins, and when it has ended. */
import type { NodePath, Outcome, ParameterValue, RunOutcome, RunTrigger } from '../model.ts';

export interface RunDescription {
  readonly runId: number | null;
  readonly pipelinePath: NodePath;
  readonly nodePaths: readonly NodePath[];
  readonly withUpstreams: boolean;
  readonly params: Readonly<Record<string, ParameterValue>>;
  readonly trigger: RunTrigger;
  readonly startedBy: string;
  readonly host: string;
  readonly codeVersion: string | null;
  readonly resumedFrom: number | null;
  /** See `RunInfo.chain`; absent: the run resumes none. */
  readonly chain?: string;
  /** How many tasks run at once. */
  readonly parallel?: number;
  readonly startedAt: number;
}

/** What the engine wants to know about a finished run. */
export interface RunResult {
  readonly runId: number | null;
  readonly status: RunOutcome;
  /** Seconds. */
  readonly duration: number;
  readonly counts: Readonly<Record<Outcome, number>>;
  readonly notes: readonly string[];
  /** Whether the store was there at the end and has all of it; `false` in a run without a store. */
  readonly stored: boolean;
}
