/**
 * The live lines below the output: what runs, how far the run is, when it should end. They are drawn at most ten times a
 * second, wiped before output is written above them, and always fit into the width of the terminal.
 */
import { stripVTControlCharacters } from 'node:util';
import type { RunEvent } from '../events.ts';
import { formatPath } from '../model.ts';
import { formatDuration } from './format.ts';
import type { Style } from './style.ts';

interface Running {
  readonly name: string;
  readonly since: number;
  readonly expected: number | null;
}

const maximalRows = 8;
const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const period = 100;

export class RunFooter {
  readonly #stdout: NodeJS.WriteStream;
  readonly #style: Style;
  readonly #running = new Map<string, Running>();
  readonly #seen = new Set<string>();
  #drawnRows = 0;
  #pending = '';
  #timer: NodeJS.Timeout | undefined;
  #frame = 0;
  #total = 0;
  #done = 0;
  #failed = 0;
  #startedAt = 0;
  #expectedDuration: number | null = null;
  #closed = false;

  constructor(stdout: NodeJS.WriteStream, style: Style) {
    this.#stdout = stdout;
    this.#style = style;
  }

  onEvent(event: Exclude<RunEvent, { type: 'output' }>): void {
    switch (event.type) {
      case 'run_started':
        this.#total = event.taskCount;
        this.#startedAt = performance.now();
        this.#expectedDuration = event.expectedDuration;
        this.#timer = setInterval(() => {
          this.#frame += 1;
          this.#draw();
        }, period);
        this.#timer.unref();
        break;
      case 'node_started': {
        if (event.kind === 'pipeline') break;
        const name = formatPath(event.nodePath);
        this.#running.set(name, { name, since: performance.now(), expected: event.expectedDuration });
        if (!this.#seen.has(name)) {
          this.#seen.add(name);
          // Children of parallel tasks come on top of what was known at the start.
          this.#total = Math.max(this.#total, this.#seen.size);
        }
        break;
      }
      case 'node_finished': {
        if (event.kind === 'pipeline') break;
        this.#running.delete(formatPath(event.nodePath));
        if (event.retryIn === null) this.#done += 1;
        if (event.status === 'failed' && event.retryIn === null) this.#failed += 1;
        break;
      }
      case 'node_skipped':
        if (event.kind !== 'pipeline') this.#done += 1;
        break;
      case 'system_statistics':
      case 'run_finished':
        break;
    }
  }

  /** Writes above the footer. */
  above(text: string): void {
    if (this.#closed) {
      this.#stdout.write(text);
      return;
    }
    // Output in quick succession is written with the next picture, so that a chatty task does not flicker.
    this.#pending += text;
    if (this.#pending.length > 64 * 1024) this.#draw();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.#stdout.write(this.#wipe() + this.#pending);
    this.#pending = '';
  }

  #draw(): void {
    const width = Math.max(20, this.#stdout.columns);
    const rows = this.#rows(width);
    this.#stdout.write(`${this.#wipe()}${this.#pending}${rows.join('\n')}`);
    this.#pending = '';
    this.#drawnRows = rows.length;
  }

  #wipe(): string {
    if (this.#drawnRows === 0) return '';
    const up = this.#drawnRows > 1 ? `\u001b[${String(this.#drawnRows - 1)}A` : '';
    this.#drawnRows = 0;
    return `\r${up}\u001b[0J`;
  }

  #rows(width: number): string[] {
    const style = this.#style;
    const now = performance.now();
    const running = [...this.#running.values()].sort((a, b) => a.since - b.since);
    const shown = running.slice(0, maximalRows);
    const rows = shown.map(task => {
      const elapsed = (now - task.since) / 1000;
      const usual = task.expected === null ? '' : ` of ${formatDuration(task.expected)}`;
      const time = `${formatDuration(elapsed)}${usual}`;
      const name = truncate(task.name, width - time.length - 5);
      return `${style('blue', frames[this.#frame % frames.length] ?? '')} ${name} ${style('dim', time)}`;
    });
    if (running.length > shown.length)
      rows.push(style('dim', `  and ${String(running.length - shown.length)} more`));
    rows.push(this.#progress(width, (now - this.#startedAt) / 1000));
    return rows;
  }

  #progress(width: number, elapsed: number): string {
    const style = this.#style;
    const share = this.#total === 0 ? 1 : Math.min(1, this.#done / this.#total);
    const left =
      this.#expectedDuration === null || this.#expectedDuration <= elapsed
        ? ''
        : `, ${formatDuration(Math.round(this.#expectedDuration - elapsed))} left`;
    const failed = this.#failed === 0 ? '' : ` ${style('red', `${String(this.#failed)} failed`)}`;
    const text = ` ${String(this.#done)}/${String(this.#total)} ${formatDuration(elapsed)}${left}${failed}`;
    const bar = Math.min(30, width - stripVTControlCharacters(text).length - 1);
    if (bar < 5) return truncate(stripVTControlCharacters(text).trim(), width - 1);
    const full = Math.round(share * bar);
    return `${style('green', '━'.repeat(full))}${style('dim', '─'.repeat(bar - full))}${text}`;
  }
}

function truncate(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(1, width - 1))}…`;
}
