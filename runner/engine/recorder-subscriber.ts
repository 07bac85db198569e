import type { OutputBatch, RunEvent } from '../events.ts';
import { BACKLOG_LIMIT, type RunRecorder } from '../store/run-recorder.ts';
import type { RunSubscriber } from './subscriber.ts';

/** The store as a subscriber of a run. */
export class RecorderSubscriber implements RunSubscriber {
  readonly #recorder: RunRecorder;

  constructor(recorder: RunRecorder) {
    this.#recorder = recorder;
  }

  onEvent(event: RunEvent, nodeRunId?: number): void {
    this.#recorder.onEvent(event, nodeRunId ?? null);
  }

  onOutput(batch: OutputBatch): void {
    this.#recorder.onOutput(batch);
  }

  drained(): Promise<void> | undefined {
    return this.#recorder.backlogBytes < BACKLOG_LIMIT ? undefined : this.#recorder.drained();
  }
}
