import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { textWidth } from '../../runner/databases/text-width.ts';
import { RunFooter } from '../../runner/cli/run-footer.ts';
import type { NodeFinished, NodeStarted, RunStarted } from '../../runner/events.ts';
import type { NodeKind, NodePath } from '../../runner/model.ts';

const base = { runId: 1, attempt: 1, time: '2026-03-01T06:00:00.000Z' };

function runStarted(taskCount: number, expectedDuration: number | null = null): RunStarted {
  return {
    ...base,
    type: 'run_started',
    nodePath: [],
    nodePaths: [],
    withUpstreams: false,
    params: {},
    trigger: 'cli',
    startedBy: 'ann',
    host: 'here',
    pid: 1,
    codeVersion: null,
    resumedFrom: null,
    taskCount,
    expectedDuration,
  };
}

function started(
  nodePath: NodePath,
  expectedDuration: number | null = null,
  kind: NodeKind = 'task',
): NodeStarted {
  return { ...base, type: 'node_started', nodePath, kind, cost: 0, expectedDuration };
}

function finished(nodePath: NodePath, status: NodeFinished['status'] = 'succeeded'): NodeFinished {
  return {
    ...base,
    ...{
      type: 'node_finished',
      nodePath,
      kind: 'task',
      status,
      startedAt: base.time,
      duration: 1,
      exitCode: 0,
    },
    ...{ error: null, reason: null, rowsProcessed: null, retryIn: null },
  };
}

/** As much of a terminal as the footer uses: what was written, and a screen that it is drawn on. */
class FakeTerminal {
  columns: number;
  rows = 24;
  readonly writes: string[] = [];
  readonly #screen: string[] = [''];
  #row = 0;
  #column = 0;

  constructor(columns: number) {
    this.columns = columns;
  }

  write(text: string): boolean {
    this.writes.push(text);
    for (const [part, code] of text.matchAll(/\u001b\[\d*([AKJ])|[^]/gu)) this.#put(part, code);
    return true;
  }

  /** The lines on the screen, times left out. */
  get lines(): string[] {
    return this.#screen.map(line => line.trimEnd().replace(/\d+(?:\.\d+)?m?s\b/g, '‹t›'));
  }

  #put(part: string, code: string | undefined): void {
    const line = this.#screen[this.#row] ?? '';
    if (code === 'A') this.#row -= Number(part.slice(2, -1));
    else if (code === 'K') this.#screen[this.#row] = line.slice(0, this.#column);
    else if (code === 'J') this.#screen.splice(this.#row, Infinity, line.slice(0, this.#column));
    else if (part === '\r') this.#column = 0;
    else if (part === '\n') {
      this.#row += 1;
      this.#column = 0;
      this.#screen[this.#row] ??= '';
    } else {
      this.#screen[this.#row] =
        line.slice(0, this.#column).padEnd(this.#column) + part + line.slice(this.#column + part.length);
      this.#column += part.length;
    }
    assert.ok(this.#row >= 0, 'above the top of the screen');
  }
}

describe('the footer of a run', () => {
  beforeEach(() => {
    mock.timers.enable({ apis: ['setInterval'] });
  });
  afterEach(() => {
    mock.timers.reset();
  });

  function footerOn(terminal: FakeTerminal): RunFooter {
    return new RunFooter(terminal as unknown as NodeJS.WriteStream, (_format, text) => text);
  }

  it('shows what runs and how far the run is, below the output, and leaves nothing behind', () => {
    const terminal = new FakeTerminal(80);
    const footer = footerOn(terminal);
    footer.onEvent(runStarted(3, 100));
    footer.onEvent(started(['shop', 'customers'], 2.5));
    footer.onEvent(started(['shop', 'orders']));
    footer.above('first line\n');
    mock.timers.tick(100);
    assert.deepEqual(terminal.lines, [
      'first line',
      '⠙ shop/customers ‹t› of ‹t›',
      '⠙ shop/orders ‹t›',
      '────────────────────────────── 0/3 ‹t›, 1:40m left',
    ]);
    footer.above('second line\nthird line\n');
    footer.onEvent(finished(['shop', 'customers'], 'failed'));
    mock.timers.tick(100);
    assert.deepEqual(terminal.lines, [
      ...['first line', 'second line', 'third line', '⠹ shop/orders ‹t›'],
      '━━━━━━━━━━──────────────────── 1/3 ‹t›, 1:40m left 1 failed',
    ]);
    footer.close();
    footer.above('last line\n');
    mock.timers.tick(1000);
    assert.deepEqual(terminal.lines, ['first line', 'second line', 'third line', 'last line', '']);
  });

  it('draws over itself without wiping, so that it does not flicker', () => {
    const terminal = new FakeTerminal(80);
    const footer = footerOn(terminal);
    footer.onEvent(runStarted(1));
    footer.onEvent(started(['a']));
    mock.timers.tick(100);
    terminal.writes.length = 0;
    mock.timers.tick(100);
    assert.equal(terminal.writes.length, 1);
    assert.match(terminal.writes[0] ?? '', /^\r\u001b\[1A⠹ a .*\u001b\[K\n.*\u001b\[K\u001b\[J\r$/);
    footer.close();
  });

  it('counts the children of parallel tasks', () => {
    const terminal = new FakeTerminal(80);
    const footer = footerOn(terminal);
    footer.onEvent(runStarted(1));
    footer.onEvent(started(['files'], null, 'parallel'));
    footer.onEvent(started(['files', 'one']));
    footer.onEvent(finished(['files', 'one']));
    footer.onEvent(started(['files', 'two']));
    mock.timers.tick(100);
    assert.equal(terminal.lines.at(-1), '━━━━━━━━━━──────────────────── 1/3 ‹t›');
    footer.close();
  });

  it('fits into narrow terminals, with long and wide names and many tasks', () => {
    for (const columns of [80, 40, 20, 10, 5, 2]) {
      const terminal = new FakeTerminal(columns);
      const footer = footerOn(terminal);
      footer.onEvent(runStarted(20, 1000));
      for (let index = 0; index < 12; index++) {
        footer.onEvent(started(['パイプライン_with_a_long_name', `task_number_${String(index)}`], 61));
      }
      mock.timers.tick(100);
      const { lines } = terminal;
      assert.equal(lines.length, 10);
      const drawn = (terminal.writes[0] ?? '').replace(/\u001b\[[KJ]|\r/g, '').split('\n');
      for (const line of drawn) assert.ok(textWidth(line) < columns, `${String(columns)}: ${line}`);
      footer.close();
      assert.deepEqual(terminal.lines, ['']);
    }
    const terminal = new FakeTerminal(40);
    const footer = footerOn(terminal);
    footer.onEvent(runStarted(1));
    footer.onEvent(started(['a_pipeline_with_a_long_name', 'customers']));
    mock.timers.tick(100);
    assert.match(terminal.lines[0] ?? '', /^⠙ …\w+\/customers ‹t›$/);
    footer.close();
  });

  it('finds its beginning when the terminal was made narrower', () => {
    const terminal = new FakeTerminal(80);
    const footer = footerOn(terminal);
    footer.onEvent(runStarted(1));
    footer.onEvent(started(['a_name_of_about_sixty_characters_that_wraps_when_it_gets_narrow']));
    mock.timers.tick(100);
    terminal.columns = 30;
    terminal.writes.length = 0;
    const wiped: string[] = [];
    terminal.write = text => {
      wiped.push(text);
      return true;
    };
    footer.close();
    // Three lines of the task and two of the progress.
    assert.equal(wiped.join(''), '\r\u001b[4A\u001b[J');
  });
});
