/**
 * The live lines below the output: what runs, how far the run is, when it should end. They are drawn at most ten times a
 * second, over the old ones or below new output, and always fit into the width of the terminal.
 */
import { textWidth } from '../databases/text-width.ts';
import type { RunEvent } from '../events.ts';
import { formatPath } from '../model.ts';
import { RunTally } from '../scheduler/run-tally.ts';
import { cutStart, cutText, formatDuration } from './format.ts';
import type { Style } from './style.ts';

interface Running {
  readonly name: string;
  readonly since: number;
  readonly expected: number | null;
}

/** A line of the footer; its width is that of the plain text. */
interface FooterRow {
  readonly text: string;
  readonly width: number;
}

const maximalRows = 8;
const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const period = 100;

export class RunFooter {
  readonly #stdout: NodeJS.WriteStream;
  readonly #style: Style;
  readonly #running = new Map<string, Running>();
  #tally = new RunTally(0);
  /** Widths of the lines that stand on the terminal. */
  #drawn: readonly number[] = [];
  #pending = '';
  #timer: NodeJS.Timeout | undefined;
  #frame = 0;
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
        this.#tally = new RunTally(event.taskCount);
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
        this.#tally.sees(event.nodePath, event.kind);
        this.#running.set(name, { name, since: performance.now(), expected: event.expectedDuration });
        break;
      }
      case 'node_finished': {
        if (event.kind === 'pipeline') break;
        this.#tally.sees(event.nodePath, event.kind);
        this.#running.delete(formatPath(event.nodePath));
        if (event.retryIn === null) this.#tally.finishes(event.nodePath, event.kind);
        if (event.status === 'failed' && event.retryIn === null) this.#failed += 1;
        break;
      }
      case 'node_skipped':
        this.#tally.finishes(event.nodePath, event.kind);
        break;
      case 'system_statistics':
      case 'run_finished':
        break;
    }
  }

  /** Writes above the footer; the text ends with a line break. */
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
    this.#stdout.write(`${this.#toTop()}${clearBelow}${this.#pending}`);
    this.#pending = '';
  }

  #draw(): void {
    // A terminal that does not say how wide it is has the width that terminals used to have.
    const columns = this.#stdout.columns > 0 ? this.#stdout.columns : 80;
    const rows = this.#rows(columns - 1);
    // The cursor waits at the beginning of the line, where the echo of Ctrl-C makes no line wrap.
    const picture = `${rows.map(row => `${row.text}${clearRight}`).join('\n')}${clearBelow}\r`;
    // Old lines are wiped only to make room for output: a new picture alone covers them.
    const output = this.#pending === '' ? '' : `${clearBelow}${this.#pending}`;
    this.#stdout.write(`${this.#toTop()}${output}${picture}`);
    this.#pending = '';
    this.#drawn = rows.map(row => row.width);
  }

  /** Back to the beginning of the footer, also when the terminal was made narrower and its lines wrap now. */
  #toTop(): string {
    if (this.#drawn.length === 0) return '';
    const columns = this.#stdout.columns > 0 ? this.#stdout.columns : 80;
    const lines = this.#drawn.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    this.#drawn = [];
    return lines > 1 ? `\r\u001b[${String(lines - 1)}A` : '\r';
  }

  #rows(width: number): FooterRow[] {
    const style = this.#style;
    const now = performance.now();
    const running = [...this.#running.values()].sort((a, b) => a.since - b.since);
    const room = Math.min(maximalRows, Math.max(1, (this.#stdout.rows || 24) - 4));
    const shown = running.slice(0, room);
    const rows = shown.map((task): FooterRow => {
      const usual = task.expected === null ? '' : ` of ${formatDuration(task.expected)}`;
      const time = cutText(`${formatDuration((now - task.since) / 1000)}${usual}`, width - 2);
      const name = cutStart(task.name, width - textWidth(time) - 3);
      const frame = style('blue', frames[this.#frame % frames.length] ?? '');
      const parts = [name, time].filter(part => part !== '');
      return {
        text: [frame, name, style('dim', time)].filter(part => part !== '').join(' '),
        width: parts.reduce((sum, part) => sum + 1 + textWidth(part), 1),
      };
    });
    const more = cutText(`  and ${String(running.length - shown.length)} more`, width);
    if (running.length > shown.length) rows.push({ text: style('dim', more), width: textWidth(more) });
    rows.push(this.#progress(width, (now - this.#startedAt) / 1000));
    return rows;
  }

  #progress(width: number, elapsed: number): FooterRow {
    const style = this.#style;
    const { total, finished } = this.#tally;
    const share = total === 0 ? 1 : Math.min(1, finished / total);
    const left =
      this.#expectedDuration === null || this.#expectedDuration <= elapsed
        ? ''
        : `, ${formatDuration(Math.ceil(this.#expectedDuration - elapsed))} left`;
    const failed = this.#failed === 0 ? '' : `${String(this.#failed)} failed`;
    const text = `${String(finished)}/${String(total)} ${formatDuration(elapsed)}${left}`;
    const plain = failed === '' ? text : `${text} ${failed}`;
    const bar = Math.min(30, width - plain.length - 1);
    if (bar < 5) {
      const cut = cutText(plain, width);
      return { text: cut, width: textWidth(cut) };
    }
    const full = Math.round(share * bar);
    const drawn = `${style('green', '━'.repeat(full))}${style('dim', '─'.repeat(bar - full))}`;
    return {
      text: `${drawn} ${text}${failed === '' ? '' : ` ${style('red', failed)}`}`,
      width: bar + 1 + plain.length,
    };
  }
}

const clearRight = '\u001b[K';
const clearBelow = '\u001b[J';
