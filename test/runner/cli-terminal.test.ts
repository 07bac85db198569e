import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { launchFile } from '../support/millrace.ts';
import { testProject, type TestProject } from '../support/project.ts';
import { temporaryHome } from '../support/store.ts';
import { waitUntil } from '../support/wait.ts';

const shop = `
import { Pipeline, RunBash, Task } from 'millrace';
const shop = new Pipeline({ id: 'shop' });
shop.add(new Task({ id: 'first', commands: [new RunBash('echo hello from first')] }));
shop.add(new Task({ id: 'waits', commands: [new RunBash('until test -e go; do sleep 0.05; done')] }), ['first']);
export default shop;
`;

/** Whether there is the program that gives a process a terminal. */
const hasScript = ((): boolean => {
  try {
    return execFileSync('script', ['--version'], { encoding: 'utf8' }).includes('util-linux');
  } catch {
    return false;
  }
})();

/** `millrace ARGS` on a terminal of its own. */
class OnTerminal {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #isClosed = false;
  #seen = '';

  constructor(args: readonly string[], cwd: string, home: string) {
    const command = ['stty cols 80 rows 24;', 'exec', process.execPath, launchFile, ...args].join(' ');
    this.#child = spawn('script', ['-qfec', command, '/dev/null'], {
      cwd,
      env: { ...process.env, MILLRACE_HOME: home, MILLRACE_STORE_URL: '', NO_COLOR: '1', TERM: 'xterm' },
    });
    this.#closed = once(this.#child, 'close').then(() => (this.#isClosed = true));
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#seen += text));
  }

  /** What was written to the terminal since this was asked last, up to a text. */
  async until(text: string): Promise<string> {
    await waitUntil(() => this.#seen.includes(text) || this.#isClosed);
    const seen = this.#seen;
    assert.ok(seen.includes(text), `${text} is missing in ${JSON.stringify(seen)}`);
    const end = seen.indexOf(text) + text.length;
    this.#seen = seen.slice(end);
    return seen.slice(0, end);
  }

  press(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  async end(): Promise<{ readonly exitCode: number | null; readonly rest: string }> {
    await this.#closed;
    return { exitCode: this.#child.exitCode, rest: this.#seen };
  }
}

describe('on a terminal', () => {
  let project: TestProject;
  let home: string;
  before(async function () {
    if (!hasScript) this.skip();
    home = await temporaryHome();
    project = await testProject({ 'shop.pipeline.ts': shop });
    await project.run(['store', 'start']);
  });
  after(async () => {
    if (hasScript) await project[Symbol.asyncDispose]();
  });

  it('the menu walks, checks, runs and comes back', async () => {
    const terminal = new OnTerminal(['menu'], project.path, home);
    await terminal.until('q quit');
    terminal.press('\u001b[B ');
    await terminal.until('r run 1 checked');
    terminal.press('r');
    const run = await terminal.until('Press a key to go back to the menu.');
    assert.ok(run.includes('millrace run shop/first\r\n'), run);
    assert.ok(run.includes('shop / first: hello from first\r\n'), run);
    assert.match(run, /✓ run 1 succeeded in .*: 1 succeeded\r\n/);
    terminal.press('x');
    assert.match(await terminal.until('q quit'), /\[x\] {5}first {2}✓ succeeded \d+ (?:s|min) ago/);
    terminal.press('q');
    const { exitCode, rest } = await terminal.end();
    // The cursor is back, and so is the screen as it was.
    assert.ok(rest.endsWith('\u001b[?25h\u001b[?1049l'), JSON.stringify(rest));
    assert.equal(exitCode, 0);
  });

  it('a run shows what runs, and leaves no trace of it when Ctrl-C ends it', async () => {
    const terminal = new OnTerminal(['run'], project.path, home);
    await terminal.until('shop/waits');
    terminal.press('\u0003');
    const { exitCode, rest } = await terminal.end();
    assert.equal(exitCode, 130);
    assert.ok(
      rest.includes('millrace: Cancelling: tasks are asked to end. Press Ctrl-C again to kill them.\r\n'),
      rest,
    );
    assert.match(rest, /\u001b\[J[^\u001b]*⊘ run \d+ cancelled in .*: 1 succeeded, 1 cancelled\r\n$/);
  });

  it('reset asks, and forgets nothing without a yes', async () => {
    await project.query(`INSERT INTO processed_file VALUES ('{shop,first}', 'a.csv', now())`);
    const refused = new OnTerminal(['reset'], project.path, home);
    await refused.until('shop/first: 1 processed file\r\n');
    await refused.until('Forget this? [y/N] ');
    refused.press('\r');
    assert.equal((await refused.end()).exitCode, 130);
    assert.equal((await project.query('SELECT FROM processed_file')).length, 1);
    const agreed = new OnTerminal(['reset'], project.path, home);
    await agreed.until('Forget this? [y/N] ');
    agreed.press('y\r');
    const { exitCode, rest } = await agreed.end();
    assert.equal(exitCode, 0);
    assert.ok(rest.endsWith('millrace: Forgot the incremental state of 1 node.\r\n'), rest);
    assert.equal((await project.query('SELECT FROM processed_file')).length, 0);
  });
});
