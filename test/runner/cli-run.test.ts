import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { launchFile } from '../support/millrace.ts';
import { eventsOf, linesOf, outcomesOf, testProject, type TestProject } from '../support/project.ts';
import { temporaryHome } from '../support/store.ts';

const execute = promisify(execFile);

const shop = `
import { existsSync } from 'node:fs';
import { Pipeline, RunBash, RunFunction, Task } from 'millrace';

const shop = new Pipeline({
  id: 'shop',
  params: { since: { type: 'date', default: '2026-01-01' }, size: { type: 'number', default: 3 }, full: { type: 'boolean', default: false } },
});
shop.add(new Task({ id: 'customers', commands: [new RunBash('echo one; echo two >&2')] }));
shop.add(new Task({ id: 'params', commands: [new RunFunction(context => { context.log.info(JSON.stringify(context.params)); })] }));
shop.add(new Task({ id: 'orders', commands: [new RunBash('test -e repaired')] }), ['customers']);
shop.add(new Task({ id: 'report', commands: [new RunBash('echo done')] }), ['orders']);

const slow = new Pipeline({ id: 'slow' });
// It also ends when a test that has failed has removed the folder.
slow.add(new Task({ id: 'waits', commands: [new RunBash('echo begun; until test -e go || ! test -e "$PWD"; do sleep 0.05; done; echo over')] }));

export { shop, slow };
`;

/** Without what differs from run to run. */
function steady(text: string): string {
  return text.replace(/\b\d+(?:\.\d+)?m?s\b/g, '‹time›');
}

describe('millrace run', () => {
  let project: TestProject;
  beforeEach(async () => {
    project = await testProject({ 'shop.pipeline.ts': shop });
  });
  afterEach(() => project[Symbol.asyncDispose]());

  it('prints each line behind its task, and at last how the run ended', async () => {
    const { exitCode, stdout, stderr } = await project.run([
      'run',
      'shop',
      '--nodes',
      'customers',
      '--no-store',
    ]);
    assert.equal(
      steady(stdout),
      `shop: started
shop / customers: started
shop / customers: echo one; echo two >&2
shop / customers: one
shop / customers: two
shop / customers: ✓ succeeded after ‹time›
shop: ✓ succeeded after ‹time›
✓ run succeeded in ‹time›: 1 succeeded
`,
    );
    assert.equal(stderr, '');
    assert.equal(exitCode, 0);
  });

  it('exits with 1 when a task fails, and says what was skipped because of it', async () => {
    const { exitCode, stdout } = await project.run(['run', 'shop', '--no-store', '--parallel', '1']);
    const lines = steady(stdout).split('\n');
    assert.ok(lines.includes('shop / orders: exit code 1'), stdout);
    assert.ok(lines.includes('shop / orders: ✗ failed after ‹time›'), stdout);
    assert.ok(
      lines.includes('shop / report: » skipped: pipeline "shop" stopped after "shop/orders" failed'),
      stdout,
    );
    assert.equal(lines.at(-2), '✗ run failed in ‹time›: 1 succeeded, 1 failed, 2 skipped');
    assert.equal(exitCode, 1);
  });

  it('runs the other files when one cannot be loaded, and exits with 1', async () => {
    await project.write({ repaired: '', go: '', 'broken.pipeline.ts': 'export default 1 +;\n' });
    const { exitCode, stdout, stderr } = await project.run(['run', '--no-store']);
    assert.match(stdout, /\n✓ run succeeded in .*: 5 succeeded\n$/);
    assert.equal(
      stderr,
      'millrace: broken.pipeline.ts:1:19: error: Expression expected.\nexport default 1 +;\n                  ^\n' +
        'millrace: Not everything was run: what could not be loaded is listed above.\n',
    );
    assert.equal(exitCode, 1);
    const part = await project.run(['run', 'slow', '--no-store']);
    assert.equal(part.exitCode, 0, 'a part that is whole');
  });

  it('runs nothing when no file can be loaded', async () => {
    await using broken = await testProject({ 'broken.pipeline.ts': 'export default 1 +;\n' });
    const { exitCode, stderr } = await broken.run(['run']);
    assert.equal(
      stderr,
      'millrace: broken.pipeline.ts:1:19: error: Expression expected.\nexport default 1 +;\n                  ^\n' +
        'millrace: There is nothing to run: what could not be loaded is listed above.\n',
    );
    assert.equal(exitCode, 1);
  });

  it('gives parameters to tasks in their types', async () => {
    const args = ['run', 'shop/params', '--no-store', '--json'];
    const given = ['--param', 'since=2026-02-03', '--param', 'size=4.5', '--param', 'full=true'];
    const { stdout } = await project.run([...args, ...given]);
    assert.deepEqual(
      linesOf(eventsOf(stdout), 'shop/params').at(-1),
      '{"since":"2026-02-03","size":4.5,"full":true}',
    );
    const defaults = await project.run(args);
    assert.deepEqual(
      linesOf(eventsOf(defaults.stdout), 'shop/params').at(-1),
      '{"since":"2026-01-01","size":3,"full":false}',
    );
  });

  it('with --json prints nothing but events on standard output', async () => {
    const { stdout } = await project.run(['run', 'shop', '--json']);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>);
    assert.equal(events[0]?.['type'], 'run_started');
    assert.equal(events.at(-1)?.['type'], 'run_finished');
    const base = ['runId', 'nodePath', 'attempt', 'time', 'type'];
    const keys: Record<string, string[]> = {};
    for (const event of events) keys[String(event['type'])] = Object.keys(event).sort();
    delete keys['system_statistics'];
    assert.deepEqual(keys, {
      run_started: [
        ...base,
        ...['nodePaths', 'withUpstreams', 'params', 'trigger', 'startedBy', 'host', 'pid', 'codeVersion'],
        ...['resumedFrom', 'taskCount', 'expectedDuration'],
      ].sort(),
      node_started: [...base, 'kind', 'cost', 'expectedDuration'].sort(),
      output: [...base, 'seq', 'message', 'format', 'isError'].sort(),
      node_finished: [
        ...base,
        ...[
          'kind',
          'status',
          'startedAt',
          'duration',
          'exitCode',
          'error',
          'reason',
          'rowsProcessed',
          'retryIn',
        ],
      ].sort(),
      node_skipped: [...base, 'kind', 'reason', 'cause'].sort(),
      run_finished: [...base, 'status', 'duration', 'counts', 'notes'].sort(),
    });
  });

  it('--resume runs what did not succeed, with the parameters of that run and new ones', async () => {
    const first = await project.run(['run', 'shop', '--param', 'size=7', '--param', 'full=true', '--json']);
    assert.equal(first.exitCode, 1);
    await project.write({ repaired: '' });
    const { exitCode, stdout } = await project.run([
      'run',
      '--resume',
      '1',
      '--param',
      'full=false',
      '--json',
    ]);
    const events = eventsOf(stdout);
    assert.deepEqual(outcomesOf(events), {
      shop: 'succeeded',
      'shop/orders': 'succeeded',
      'shop/report': 'succeeded',
    });
    const [started] = events;
    assert.ok(started?.type === 'run_started');
    assert.deepEqual(started.params, { since: '2026-01-01', size: 7, full: false });
    assert.equal(started.resumedFrom, 1);
    assert.equal(exitCode, 0);

    const again = await project.run(['run', '--resume', '2']);
    assert.equal(again.stderr, 'millrace: Run 2 succeeded: there is nothing left to run.\n');
    assert.equal(again.exitCode, 2);
    const unknown = await project.run(['run', '--resume', '99']);
    assert.equal(unknown.stderr, 'millrace: There is no run 99 in this project. See "millrace runs".\n');
    assert.equal(unknown.exitCode, 2);
  });

  it('--detach prints the id of a run that goes on without its parent', async () => {
    const { exitCode, stdout, stderr } = await project.run(['run', 'slow', '--detach']);
    assert.equal(stdout, '1\n');
    assert.equal(
      stderr,
      'millrace: Run 1 goes on in the background; follow it with: millrace logs 1 --follow\n',
    );
    assert.equal(exitCode, 0);
    await using follower = await project.start(['logs', '1', '--follow']);
    await follower.until(() => follower.stdout.includes('slow / waits: begun\n'));
    await project.write({ go: '' });
    const followed = await follower.end;
    assert.match(followed.stdout, /\nslow \/ waits: begun\nslow \/ waits: over\n$/);
    assert.equal(followed.stderr, 'millrace: Run 1 succeeded.\n');
    assert.equal(followed.exitCode, 0);
  });

  it('--detach tells why a run did not begin, and what could not be loaded of one that did', async () => {
    const refused = await project.run(['run', 'shop', '--param', 'size=x', '--detach']);
    assert.equal(refused.stderr, 'millrace: The parameter "size" must be a number, not "x".\n');
    assert.equal(refused.stdout, '');
    assert.equal(refused.exitCode, 2);
    await project.write({ go: '', 'broken.pipeline.ts': 'export default 1 +;\n' });
    const begun = await project.run(['run', 'slow', '--detach']);
    assert.equal(
      begun.stderr,
      'millrace: broken.pipeline.ts:1:19: error: Expression expected.\nexport default 1 +;\n                  ^\n' +
        'millrace: Run 1 goes on in the background; follow it with: millrace logs 1 --follow\n',
    );
    await project.run(['logs', '1', '--follow']);
  });

  it('is refused while another run is at work on the same nodes', async () => {
    await using first = await project.start(['run', 'slow']);
    await first.until(() => first.stdout.includes('begun'));
    const second = await project.run(['run']);
    assert.equal(
      second.stderr.replace(/since \S+Z/, 'since ‹time›'),
      'millrace: Run 1 of "slow" has been at work on the same nodes since ‹time›. ' +
        'Wait for it, end it with "millrace cancel 1", or start this one beside it with --allow-concurrent.\n',
    );
    assert.equal(second.exitCode, 2);
    const beside = await project.run(['run', 'shop/customers']);
    assert.equal(beside.exitCode, 0);

    const cancelled = await project.run(['cancel', '1']);
    assert.equal(cancelled.stderr, 'millrace: Run 1 is asked to end.\n');
    const end = await first.end;
    assert.match(end.stdout, /\n⊘ run 1 cancelled in .*: 1 cancelled\n$/);
    assert.equal(end.exitCode, 130);
    const tooLate = await project.run(['cancel', '1']);
    assert.equal(tooLate.stderr, 'millrace: Run 1 is over: it ended as cancelled.\n');
    assert.equal(tooLate.exitCode, 2);
    const unknown = await project.run(['cancel', '99']);
    assert.equal(unknown.stderr, 'millrace: There is no run 99 in this project. See "millrace runs".\n');
    assert.equal(unknown.exitCode, 2);
  });

  it('ends with 130 on Ctrl-C, which reaches all processes of the terminal', async () => {
    await using run = await project.start(['run', 'slow'], { ownGroup: true });
    await run.until(() => run.stdout.includes('begun'));
    run.signal('SIGINT');
    const { exitCode, stdout, stderr } = await run.end;
    assert.equal(stderr, 'millrace: Cancelling: tasks are asked to end. Press Ctrl-C again to kill them.\n');
    assert.match(
      stdout,
      /\nslow \/ waits: ⊘ cancelled after .*\nslow: ⊘ cancelled after .*\n⊘ run 1 cancelled in .*: 1 cancelled\n$/,
    );
    assert.equal(exitCode, 130);
    const rows = await project.query<{ status: string; open: boolean }>(
      'SELECT status, ended_at IS NULL AS open FROM node_run UNION ALL SELECT status, ended_at IS NULL FROM run',
    );
    assert.deepEqual(
      new Set(rows.map(row => `${row.status} ${String(row.open)}`)),
      new Set(['cancelled false']),
    );
  });

  it('goes on when the reader of its output goes away', async () => {
    await project.write({ go: '', repaired: '' });
    const command = `"$NODE" "$LAUNCH" run | head -1; echo "exit code \${PIPESTATUS[0]}"`;
    const { stdout } = await execute('bash', ['-c', command], {
      cwd: project.path,
      env: {
        ...process.env,
        NODE: process.execPath,
        LAUNCH: launchFile,
        MILLRACE_HOME: await temporaryHome(),
        MILLRACE_STORE_URL: '',
      },
    });
    assert.match(stdout, /^.*\nexit code 0\n$/);
    const runs = await project.query('SELECT status FROM run');
    assert.deepEqual(runs, [{ status: 'succeeded' }]);
  });

  it('finds the project from a folder in it, and by --project', async () => {
    await project.write({ 'deep/er/empty.txt': '' });
    const below = await project.run(['run', 'shop/customers', '--no-store', '--project', 'deep/..']);
    assert.equal(below.exitCode, 0, below.stderr);
    assert.ok(existsSync(join(project.path, 'deep', 'er')));
  });
});
