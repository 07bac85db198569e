import type { OutputBatch, RunEvent } from '../events.ts';

/** Whoever follows a run from inside the runner. Must not throw; the engine reports it and goes on. */
export interface RunSubscriber {
  /**
   * Everything but output.
   *
   * @param nodeRunId The row in the store of the attempt that the event is about; `undefined` for a node that never
   * started and for events of the whole run.
   */
  onEvent(event: Exclude<RunEvent, { readonly type: 'output' }>, nodeRunId?: number): void;
  onOutput(batch: OutputBatch): void;
  /** Pending while the subscriber cannot keep up; the engine holds output back meanwhile. */
  drained?(): Promise<void> | undefined;
  /** Called once after the last event; the run's result waits for it. */
  close?(): Promise<void>;
}
