/** A run in the terminal: a line per line of output, and on a terminal a live footer below them. */
import type { OutputBatch, RunEvent } from '../events.ts';
import type { RunSubscriber } from '../engine/subscriber.ts';
import { formatPath, type NodePath } from '../model.ts';
import { formatDuration, symbolOf } from './format.ts';
import { RunFooter } from './run-footer.ts';
import type { Style } from './style.ts';

export interface RunPrinterOptions {
  readonly stdout: NodeJS.WriteStream;
  readonly style: Style;
  /** Draw the footer; only on a terminal. */
  readonly live: boolean;
}

export class RunPrinter implements RunSubscriber {
  readonly #stdout: NodeJS.WriteStream;
  readonly #style: Style;
  readonly #footer: RunFooter | undefined;
  #waiting: Promise<void> | undefined;

  constructor(options: RunPrinterOptions) {
    this.#stdout = options.stdout;
    this.#style = options.style;
    this.#footer = options.live ? new RunFooter(options.stdout, options.style) : undefined;
  }

  onEvent(event: Exclude<RunEvent, { type: 'output' }>): void {
    this.#footer?.onEvent(event);
    const style = this.#style;
    switch (event.type) {
      case 'run_started':
      case 'system_statistics':
        break;
      case 'node_started': {
        if (event.kind === 'pipeline' && event.nodePath.length === 0) break;
        const expected =
          event.expectedDuration === null ? '' : `, usually ${formatDuration(event.expectedDuration)}`;
        const attempt = event.attempt > 1 ? `, attempt ${String(event.attempt)}` : '';
        this.#line(event.nodePath, style('dim', `started${attempt}${expected}`));
        break;
      }
      case 'node_finished': {
        if (event.kind === 'pipeline' && event.nodePath.length === 0) break;
        if (event.error !== null)
          for (const line of event.error.split('\n')) this.#line(event.nodePath, style('red', line));
        const colour =
          event.status === 'failed'
            ? 'red'
            : event.status === 'cancelled' || event.status === 'lost'
              ? 'yellow'
              : 'green';
        const reason = event.reason === null ? '' : `: ${event.reason}`;
        const took = event.startedAt === null ? '' : ` after ${formatDuration(event.duration)}`;
        const retry = event.retryIn === null ? '' : `; next attempt in ${formatDuration(event.retryIn)}`;
        this.#line(
          event.nodePath,
          style(colour, `${symbolOf(event.status)} ${event.status}${took}${reason}${retry}`),
        );
        break;
      }
      case 'node_skipped':
        this.#line(event.nodePath, style('dim', `${symbolOf('skipped')} skipped: ${event.reason}`));
        break;
      case 'run_finished':
        this.#footer?.close();
        break;
    }
  }

  onOutput(batch: OutputBatch): void {
    const prefix = this.#prefix(batch.nodePath);
    const style = this.#style;
    const lines = batch.text.split('\n').map(line => {
      if (batch.isError) return `${prefix}${style('red', line)}`;
      return batch.format === 'italics' ? `${prefix}${style(['italic', 'dim'], line)}` : `${prefix}${line}`;
    });
    this.#write(`${lines.join('\n')}\n`);
  }

  drained(): Promise<void> | undefined {
    return this.#waiting;
  }

  async close(): Promise<void> {
    this.#footer?.close();
    await this.#waiting;
  }

  #line(path: NodePath, text: string): void {
    this.#write(`${this.#prefix(path)}${text}\n`);
  }

  #prefix(path: NodePath): string {
    return path.length === 0 ? '' : `${this.#style('cyan', path.join(' / '))}: `;
  }

  #write(text: string): void {
    if (this.#footer !== undefined) {
      this.#footer.above(text);
      return;
    }
    if (!this.#stdout.write(text) && this.#waiting === undefined) {
      this.#waiting = new Promise(resolve => {
        const done = (): void => {
          this.#stdout.off('drain', done);
          this.#stdout.off('close', done);
          this.#stdout.off('error', done);
          this.#waiting = undefined;
          resolve();
        };
        // A reader that went away (`| head`) closes the stream: the run goes on without it.
        this.#stdout.once('drain', done).once('close', done).once('error', done);
      });
    }
  }
}

/** The path of a run for the user: `demo/sleep`, or the whole project. */
export function nameOfPath(path: NodePath): string {
  return path.length === 0 ? 'all pipelines' : formatPath(path);
}
