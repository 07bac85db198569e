/** A run in the terminal: a line per line of output, and on a terminal a live footer below them. */
import { expandOutput, type Output, type OutputBatch, type RunEvent } from '../events.ts';
import type { RunSubscriber } from '../engine/subscriber.ts';
import type { NodePath } from '../model.ts';
import { formatDuration, harmlessText, symbolOf } from './format.ts';
import { RunFooter } from './run-footer.ts';
import type { Style } from './style.ts';

export interface RunPrinterOptions {
  readonly stdout: NodeJS.WriteStream;
  /** For words of Millrace itself. */
  readonly stderr: NodeJS.WriteStream;
  readonly style: Style;
  /** Draw the footer; only on a terminal. */
  readonly live: boolean;
}

/**
 * Lines of output, each with its node: `path / to / node: message`.
 *
 * @param onTerminal whether they are shown on a terminal: what would steer it is left out then, colours excepted.
 */
export function formatOutput(
  { nodePath, message, format, isError }: Pick<Output, 'nodePath' | 'message' | 'format' | 'isError'>,
  style: Style,
  onTerminal: boolean,
): string {
  const prefix = prefixOf(nodePath, style);
  const lines = message.split('\n').map(text => {
    const line = onTerminal ? harmlessText(text) : text;
    if (isError) return `${prefix}${style('red', line)}\n`;
    return format === 'italics' ? `${prefix}${style(['italic', 'dim'], line)}\n` : `${prefix}${line}\n`;
  });
  return lines.join('');
}

function prefixOf(path: NodePath, style: Style): string {
  return path.length === 0 ? '' : `${style('cyan', path.join(' / '))}: `;
}

/** A task that has failed for good. */
export interface PrintedFailure {
  readonly nodePath: NodePath;
  readonly error: string | null;
}

export class RunPrinter implements RunSubscriber {
  /** In the order of their ends. */
  readonly failures: PrintedFailure[] = [];
  readonly #out: PatientStream;
  readonly #stderr: NodeJS.WriteStream;
  readonly #onTerminal: boolean;
  readonly #style: Style;
  readonly #footer: RunFooter | undefined;

  constructor(options: RunPrinterOptions) {
    this.#out = new PatientStream(options.stdout);
    this.#stderr = options.stderr;
    this.#onTerminal = options.stdout.isTTY;
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
        if (event.status === 'failed' && event.retryIn === null && event.kind !== 'pipeline')
          this.failures.push({ nodePath: event.nodePath, error: event.error });
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
    this.#write(formatOutput({ ...batch, message: batch.text }, this.#style, this.#onTerminal));
  }

  /** A line of Millrace itself while the run goes on. */
  notice(text: string): void {
    const line = `millrace: ${text}\n`;
    // On the same terminal it would stand in the middle of the footer.
    if (this.#footer !== undefined && this.#stderr.isTTY) this.#footer.above(line);
    else this.#stderr.write(line);
  }

  drained(): Promise<void> | undefined {
    return this.#out.drained;
  }

  async close(): Promise<void> {
    this.#footer?.close();
    await this.#out.drained;
  }

  #line(path: NodePath, text: string): void {
    this.#write(`${prefixOf(path, this.#style)}${text}\n`);
  }

  #write(text: string): void {
    if (this.#footer === undefined) this.#out.write(text);
    else this.#footer.above(text);
  }
}

/** `millrace run --json`: one event a line. */
export class JsonPrinter implements RunSubscriber {
  readonly #out: PatientStream;
  readonly #stderr: NodeJS.WriteStream;
  #runId: number | null = null;

  constructor(stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream) {
    this.#out = new PatientStream(stdout);
    this.#stderr = stderr;
  }

  /** A line of Millrace itself while the run goes on. */
  notice(text: string): void {
    this.#stderr.write(`millrace: ${text}\n`);
  }

  onEvent(event: Exclude<RunEvent, { type: 'output' }>): void {
    this.#runId = event.runId;
    this.#out.write(`${JSON.stringify(event)}\n`);
  }

  onOutput(batch: OutputBatch): void {
    let text = '';
    for (const event of expandOutput(batch, this.#runId)) text += `${JSON.stringify(event)}\n`;
    this.#out.write(text);
  }

  drained(): Promise<void> | undefined {
    return this.#out.drained;
  }

  async close(): Promise<void> {
    await this.#out.drained;
  }
}

/** Knows when the reader of a stream cannot keep up. A reader that goes away (`| head`) is not waited for. */
class PatientStream {
  readonly #stream: NodeJS.WriteStream;
  /** Pending while the stream is full. */
  drained: Promise<void> | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  write(text: string): void {
    if (!this.#stream.writable || this.#stream.write(text) || this.drained !== undefined) return;
    this.drained = new Promise(resolve => {
      const events = ['drain', 'close', 'error'] as const;
      const done = (): void => {
        for (const event of events) this.#stream.off(event, done);
        this.drained = undefined;
        resolve();
      };
      for (const event of events) this.#stream.on(event, done);
    });
  }
}
